"""What readers report, what moderators decide, and what waits for them: the same for all that people say.

A model that is moderated is a ``Moderated`` (``models/moderated.py`` says what it must have), or a ``Reviewed`` if it
can wait for review, and its app names it in its AppConfig: ``moderated = ["Comment"]``. A subclass of
``ModerationViews`` (``views.py``) gives it its addresses. Reports, actions, bans, purges, the live queue and the
admin's lists follow.
"""

"""What happens to a person's things when they close their account.

An app that keeps something of a person's has an ``account_deletion.py``::

    @on_closing
    def take_comments_along(person, *, comments_stay): ...

Whatever stays stays under "deleted person": the row of the person remains, with nothing personal in it.
"""

handlers = []


def on_account_deletion(handler):
    """Decorator: call ``handler(person, comments_stay=bool)`` before an account is closed.

    It runs in the request of the person, outside of a transaction, and may run again if something failed.
    """
    handlers.append(handler)
    return handler

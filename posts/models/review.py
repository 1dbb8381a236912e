"""Which comments wait for a moderator before anybody else sees them."""

import logging
import re

from django.conf import settings
from django.utils.module_loading import import_string

from posts.models.moderation import Ruling

OUTWARD = re.compile(r'<a href="(?:https?:)?//', re.IGNORECASE)  # mentions and mail addresses are no links out
logger = logging.getLogger("posts")


def review(comment, visit):
    """Judge a new ``comment`` (not saved, with its text) that came by ``visit`` (Visit).

    → the ``Ruling`` (not saved) for which it waits or is rejected, or None if it is shown at once. May take seconds,
    for checkers may ask other houses: never inside a transaction.
    """
    if not settings.REVIEW or is_trusted(comment.author):
        return None
    return examine(comment, visit) or (Ruling(what=Ruling.What.NEW) if is_new(comment.author) else None)


def examine(comment, visit):
    """The text alone, whoever wrote it: its links, and what the checkers say. → as ``review``

    A checker is any function that takes the comment and the visit, and returns a ``Ruling`` (``HELD`` or ``REJECTED``,
    with a reason) or None. One that fails is no reason to show the comment, nor to lose it.
    """
    if not settings.REVIEW or is_trusted(comment.author):
        return None
    if len(OUTWARD.findall(comment.html)) > settings.REVIEW_LINKS:
        return Ruling(what=Ruling.What.LINKS)
    for name in settings.COMMENT_CHECKERS:
        try:
            ruling = import_string(name)(comment, visit)
        except Exception as error:
            logger.exception("%s could not judge a comment", name)
            ruling = Ruling(what=Ruling.What.HELD, reason=f"{name.rpartition('.')[2]}: {type(error).__name__}")
        if ruling:
            return ruling
    return None


def is_trusted(person):
    """Whether ``person`` is one of the house: staff, or a member of any group."""
    return person.is_staff or person.groups.exists()


def is_new(person):
    """Whether fewer than ``REVIEW_FIRST`` comments of ``person`` were ever shown without a moderator's objection."""
    shown = person.comments.filter(born__gt=0, reason="")[: settings.REVIEW_FIRST]
    return len(shown.values_list("pk")) < settings.REVIEW_FIRST

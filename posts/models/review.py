"""Which comments wait for a moderator before anybody else sees them."""

import logging
import re

from django.conf import settings
from django.utils.module_loading import import_string

from posts.models.moderation import ModerationAction

OUTWARD = re.compile(r'<a href="(?:https?:)?//', re.IGNORECASE)  # mentions and mail addresses are no links out
logger = logging.getLogger("posts")


def review(comment, client_info):
    """Judge a new ``comment`` (not saved, with its text) that came by ``client_info`` (ClientInfo).

    → the ``ModerationAction`` (not saved) for which it waits or is rejected, or None if it is shown at once. May take
    seconds, for spam checks may ask other houses: never inside a transaction.
    """
    if not settings.REVIEW or is_trusted(comment.author):
        return None
    return check_spam(comment, client_info) or (
        ModerationAction(what=ModerationAction.What.NEW) if is_new(comment.author) else None
    )


def check_spam(comment, client_info):
    """The text alone, whoever wrote it: its links, and what the spam checks say. → as ``review``

    A spam check is any function that takes the comment and the visit, and returns a ``ModerationAction`` (``HELD`` or
    ``REJECTED``, with a reason) or None. One that fails is no reason to show the comment, nor to lose it.
    """
    if not settings.REVIEW or is_trusted(comment.author):
        return None
    if len(OUTWARD.findall(comment.html)) > settings.REVIEW_LINKS:
        return ModerationAction(what=ModerationAction.What.LINKS)
    for name in settings.SPAM_CHECKS:
        try:
            action = import_string(name)(comment, client_info)
        except Exception as error:
            logger.exception("%s could not judge a comment", name)
            action = ModerationAction(
                what=ModerationAction.What.HELD, reason=f"{name.rpartition('.')[2]}: {type(error).__name__}"
            )
        if action:
            return action
    return None


def is_trusted(person):
    """Whether ``person`` is one of the house: staff, or a member of any group."""
    return person.is_staff or person.groups.exists()


def is_new(person):
    """Whether fewer than ``REVIEW_FIRST`` comments of ``person`` were ever shown without a moderator's objection."""
    shown = person.comments.filter(born__gt=0, reason="")[: settings.REVIEW_FIRST]
    return len(shown.values_list("pk")) < settings.REVIEW_FIRST

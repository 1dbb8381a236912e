"""What waits for a moderator before anybody else sees it."""

import logging
import re

from django.conf import settings
from django.utils.module_loading import import_string

from moderation.models import Action

OUTWARD = re.compile(r'<a href="(?:https?:)?//', re.IGNORECASE)  # mentions and mail addresses are no links out
logger = logging.getLogger("moderation")


def review(target, client_info):
    """Whether the new ``target`` (a ``Reviewed``, not saved, with its text) that came by ``client_info`` (ClientInfo)
    must wait.

    → the ``Action`` (not saved) by which it waits or is rejected, or None if it is shown at once. May take seconds,
    for spam checks may ask other sites: never inside a transaction.
    """
    if not settings.REVIEW or is_trusted(target.author):
        return None
    return check_spam(target, client_info) or (Action(kind=Action.Kind.NEW) if is_new(target) else None)


def check_spam(target, client_info):
    """The text alone, whoever wrote it: its links, and what the spam checks say. → as ``review``

    A spam check is any function that takes the target and the client info, and returns an ``Action`` (``HELD`` or
    ``REJECTED``, with a reason) or None. One that fails is no reason to show the text, nor to lose it.
    """
    if not settings.REVIEW or is_trusted(target.author):
        return None
    if len(OUTWARD.findall(target.html)) > settings.REVIEW_LINKS:
        return Action(kind=Action.Kind.LINKS)
    for name in settings.SPAM_CHECKS:
        try:
            action = import_string(name)(target, client_info)
        except Exception as error:
            logger.exception("%s could not check a text", name)
            action = Action(kind=Action.Kind.HELD, reason=f"{name.rpartition('.')[2]}: {type(error).__name__}")
        if action:
            return action
    return None


def is_trusted(person):
    """Whether ``person`` is one of the house: staff, or a member of any group."""
    return person.is_staff or person.groups.exists()


def is_new(target):
    """Whether fewer than ``REVIEW_FIRST`` others of its author were ever shown without a moderator's objection."""
    shown = type(target).objects.filter(author=target.author, born__gt=0, reason="")[: settings.REVIEW_FIRST]
    return len(shown.values_list("pk")) < settings.REVIEW_FIRST

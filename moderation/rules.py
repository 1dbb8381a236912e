"""Who is a moderator, and what a reason is."""

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _

from people.rules import Refused, normalize

REASON_LENGTH = 200  # characters


def moderates(person):
    """Whether ``person`` is a moderator."""
    return person.has_perm("moderation.moderate")


def require_moderator(person):
    """Raises ``PermissionDenied`` unless ``person`` is a moderator."""
    if not moderates(person):
        raise PermissionDenied


def clean_reason(reason, if_missing):
    """``reason`` (str) as it is kept: one line. Raises ``Refused``: with the sentence ``if_missing`` if it is empty."""
    reason = " ".join(normalize(reason).replace("\0", "").split())  # PostgreSQL keeps no NUL
    if not reason:
        raise Refused(if_missing)
    if len(reason) > REASON_LENGTH:
        raise Refused(_("A reason can have at most %(most)s characters."), params={"most": REASON_LENGTH})
    return reason

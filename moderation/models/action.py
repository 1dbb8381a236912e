from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from moderation.models.target import AboutTarget
from moderation.rules import REASON_LENGTH


class Action(AboutTarget):
    """One thing that was decided about a comment or a message: by whom (None: by the rules), and why.

    For moderators. The author is told what the target's ``NOTICES`` say of this kind of action.
    """

    class Kind(models.TextChoices):
        NEW = "new", _("waits: its author is new")
        LINKS = "links", _("waits: it has many links")
        HELD = "held", _("waits: a spam check objects")
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")
        REMOVED = "removed", _("removed")
        RESTORED = "restored", _("restored")
        KEPT = "kept", _("kept, though reported")
        BANNED = "banned", _("author banned")

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    kind = models.CharField(_("action"), max_length=10, choices=Kind)
    reason = models.CharField(_("reason"), max_length=REASON_LENGTH, blank=True)
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["target_type", "target_id"], name="actions_of_a_target")]
        permissions = [("moderate", _("Can decide about what people say, and see reports"))]
        verbose_name = _("moderation action")
        verbose_name_plural = _("moderation actions")

    def __str__(self):
        return self.get_kind_display()

    def get_absolute_url(self):
        """Of what it is about: the target if that can be seen, else the post or the room."""
        return (self.target if self.target.is_visible else self.target.thread).get_absolute_url()

    @property
    def notice(self):
        """What the author is told (str, with %(title)s in it), or "" if it does not concern them."""
        return str(self.target_model.NOTICES.get(self.kind, "")).replace("%(reason)s", self.reason)

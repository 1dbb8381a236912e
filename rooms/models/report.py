from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.rates import TOO_OFTEN, consume
from people.rules import Refused, normalize
from rooms.models.message import Message


class Report(models.Model):
    """What ``by`` found wrong with a message. Of private messages moderators see only what was reported."""

    message = models.ForeignKey(Message, models.CASCADE, verbose_name=_("message"), related_name="reports")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("reported by"), related_name="+")
    reason = models.CharField(_("reason"), max_length=300)
    created_at = models.DateTimeField(_("reported"), default=timezone.now)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["message", "by"], name="one_report_of_a_message")]
        verbose_name = _("report of a message")
        verbose_name_plural = _("reports of messages")

    def __str__(self):
        return self.reason

    @classmethod
    def make(cls, message, by, reason, address=None):
        """Let ``by`` report ``message`` for a ``reason`` (str); once, a second report changes nothing.

        ``address`` (str) is where from. → the report. Raises ``Refused``.
        """
        reason = normalize(reason)
        if not reason:
            raise Refused(_("Say what is wrong with it."))
        if message.author_id == by.pk:
            raise Refused(_("This is your own message: you can delete it."))
        with transaction.atomic():
            consume("report", by, address, TOO_OFTEN)
            return cls.objects.get_or_create(message=message, by=by, defaults={"reason": reason[:300]})[0]

    def settle(self):
        self.settled_at = timezone.now()
        self.save(update_fields=["settled_at"])

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from moderation.models.target import AboutTarget
from moderation.rules import REASON_LENGTH


class ReportQuerySet(models.QuerySet):
    def open(self):
        """Those that no moderator has dealt with."""
        return self.filter(settled_at=None)


class Report(AboutTarget):
    """What somebody finds wrong with a comment or a message."""

    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("reported by")
    )
    reason = models.CharField(_("reason"), max_length=REASON_LENGTH)
    created_at = models.DateTimeField(_("reported"), default=timezone.now)
    settled_at = models.DateTimeField(_("settled"), null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("settled by")
    )

    objects = ReportQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["target_type", "target_id", "by"], name="one_report_per_person")]
        indexes = [models.Index(fields=["target_type", "target_id"], condition=Q(settled_at=None), name="open_reports")]
        verbose_name = _("report")
        verbose_name_plural = _("reports")

    def __str__(self):
        return self.reason

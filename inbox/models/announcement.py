from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

import live
from people.markdown import render_markdown
from people.rules import Refused, normalize


class Announcements:
    """What is announced to everybody, as something that can be watched: every page does."""

    pk = 1


ANNOUNCEMENTS = Announcements()


class AnnouncementQuerySet(models.QuerySet):
    def current(self):
        """The announcements that pages show now, newest first."""
        now = timezone.now()
        return self.filter(starts__lte=now, ends__gt=now).order_by("-starts", "-pk")


class Announcement(live.Item):
    """What the staff say to everybody who has a page open, or opens one, from ``starts`` until ``ends``.

    ``up``: whether open pages were told that it stands; the heartbeat sees to it when its times come.
    """

    shown_in = ANNOUNCEMENTS
    body = models.TextField(_("text"), max_length=500)
    html = models.TextField(editable=False)
    starts = models.DateTimeField(_("from"), default=timezone.now)
    ends = models.DateTimeField(_("until"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("by"), editable=False)
    up = models.BooleanField(default=False, editable=False)

    objects = AnnouncementQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["changed"]), models.Index(fields=["ends"])]
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")

    def __str__(self):
        return self.body[:60]

    # Verbs

    def announce(self):
        """Save the announcement, new or edited, and show it where it stands or stood. Raises ``Refused``."""
        with live.change(ANNOUNCEMENTS):
            self.check_times()
            self.body = normalize(self.body)
            self.html = render_markdown(self.body)
            self.up = self.is_current
            self.save()

    def end(self):
        """Take it off all pages now."""
        if self.ends > timezone.now():
            self.ends = max(self.starts, timezone.now())
            self.announce()

    # Rules

    def check_times(self):
        """Raises ``Refused`` if it ends before it begins, or begins within a minute of another."""
        if self.ends < self.starts:
            raise Refused(_("An announcement ends after it begins."))
        apart = timedelta(seconds=settings.ANNOUNCEMENTS_APART)
        near = Announcement.objects.filter(starts__gt=self.starts - apart, starts__lt=self.starts + apart)
        if near.exclude(pk=self.pk).exists():
            raise Refused(_("At most one announcement a minute: another begins within a minute of this one."))

    # Questions

    @property
    def is_current(self):
        return self.starts <= timezone.now() < self.ends

    @property
    def data_key(self):
        """Where it stands among the others: by its beginning, in microseconds."""
        return f"{int(self.starts.timestamp() * 1e6)}{self.pk:010d}"


class Dismissal(models.Model):
    """``person`` does not want to see ``announcement`` any more."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    announcement = models.ForeignKey(Announcement, models.CASCADE, related_name="dismissals")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "announcement"], name="dismissed_once")]

    def __str__(self):
        return f"{self.announcement} for {self.person}"


def update_announcements():
    """Show what begins and take down what ends now. Several processes may try: one does each."""
    now = timezone.now()
    begins = models.Q(up=False, starts__lte=now, ends__gt=now)
    due = begins | models.Q(up=True, ends__lte=now)
    if not Announcement.objects.filter(due).exists():
        return
    with live.change(ANNOUNCEMENTS):
        for announcement in Announcement.objects.filter(due):
            announcement.up = announcement.is_current
            announcement.save(update_fields=["up"])

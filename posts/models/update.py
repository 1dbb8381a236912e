from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

import live
from posts import markdown


class LiveUpdateQuerySet(models.QuerySet):
    def visible(self):
        """The updates that pages show, in their order: pinned ones first, then the newest."""
        return self.filter(withdrawn=False).select_related("author").order_by("-pinned", "-at", "-pk")


class LiveUpdate(live.Item):
    """One timed entry of a post's live coverage."""

    shown_in = "post"
    post = models.ForeignKey("posts.Post", models.CASCADE, related_name="updates")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("author"))
    at = models.DateTimeField(_("time"), default=timezone.now)
    title = models.CharField(_("title"), max_length=200, blank=True)
    body = models.TextField(_("text"), max_length=20_000)
    html = models.TextField(editable=False)
    pinned = models.BooleanField(_("pinned"), default=False)
    struck = models.BooleanField(_("struck through"), default=False)
    edited = models.BooleanField(default=False, editable=False)
    withdrawn = models.BooleanField(default=False, editable=False)

    objects = LiveUpdateQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["post", "changed"])]
        verbose_name = _("live update")
        verbose_name_plural = _("live updates")

    def __str__(self):
        return self.title or self.body[:60]

    @property
    def data_key(self):
        """Where the update stands among the others: pinned above unpinned, then by time."""
        return f"{self.pinned:d}{int(self.at.timestamp() * 1000):014d}{self.pk:010d}"

    def revise(self):
        """Save the update as edited, and show it on the post's open pages."""
        with live.change(self.post):
            if new := self._state.adding:
                self.save()  # the ids of its footnotes hold its own
            html = markdown.article(self.body, f"u{self.pk}")
            self.edited = self.edited or (not new and html != self.html)
            self.html = html
            self.save()

    def withdraw(self):
        """Take the update off the pages. The row stays, for only rows can tell open pages."""
        with self.change():
            self.withdrawn = True
            self.save(update_fields=["withdrawn"])

from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

import live
from inbox.models import Notification, newly_named, notify_each, withdraw_notifications
from people.markdown import mentioned, render_markdown
from people.rates import TOO_OFTEN, consume
from people.rules import Closed, Refused, normalize
from rooms.models.membership import Membership


class MessageQuerySet(models.QuerySet):
    def visible(self):
        return self.filter(removed_at=None)

    def with_related(self):
        """With what the partial reads of other rows."""
        return self.select_related("author")

    def newest(self, most):
        """The newest ``most`` (int) of them, in the order in which they were said (list)."""
        return list(self.order_by("-pk")[:most])[::-1]


class Message(live.Item):
    """A line in a room. It may be the first of its day, or of what its author says in one go: then it shows that."""

    shown_in = "room"
    room = models.ForeignKey("rooms.Room", models.CASCADE, verbose_name=_("room"), related_name="messages")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("author"), related_name="messages"
    )
    body = models.TextField(_("text"))
    html = models.TextField(editable=False)
    opens_day = models.BooleanField(default=False, editable=False)
    opens_turn = models.BooleanField(default=True, editable=False)
    key = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField(_("written"), default=timezone.now)
    edited_at = models.DateTimeField(_("edited"), null=True)
    removed_at = models.DateTimeField(_("removed"), null=True)
    removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("removed by")
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["room", "changed"]),
            models.Index(fields=["room", "-id"]),
            models.Index(fields=["author", "-created_at"]),
        ]
        constraints = [models.UniqueConstraint(fields=["room", "author", "key"], name="one_message_per_attempt")]
        permissions = [("moderate_message", _("Can remove everybody's messages"))]
        verbose_name = _("message")
        verbose_name_plural = _("messages")

    def __str__(self):
        return self.body[:60]

    def get_absolute_url(self):
        return reverse("message", args=[self.pk])

    # Verbs

    def revise(self, by, body, address=None):
        """Let ``by`` put ``body`` (str) in the place of the text; ``address`` (str) is where from.

        Raises ``Refused``, ``PermissionDenied``.
        """
        body = self.readable(body)
        with transaction.atomic():
            consume("edit", by, address, TOO_OFTEN)
            with self.change() as now:
                if by.pk != self.author_id or not self.room.readable_by(by):
                    raise PermissionDenied
                if self.removed_at:
                    raise Refused(_("That message was removed."))
                self.check_can_change("edit")
                if body == self.body:
                    return now.undo()
                before, self.body, self.html = self.body, body, render_markdown(body)
                self.edited_at = timezone.now()
                self.save()
                self.notify(before)

    def remove(self, by, reason=""):
        """Take the message off the pages, as its author or as a moderator (with a ``reason``, str).

        Removing it again changes nothing. Raises ``Refused``, ``PermissionDenied``.
        """
        with self.room.change_with_lists() as (now, list_ticks):
            self.refresh_from_db()
            own = by.pk == self.author_id
            if not own and not self.moderated_by(by):
                raise PermissionDenied
            if self.removed_at:
                return now.undo()  # nothing changed: no page is told
            if own:
                self.check_can_change("delete")
            if not own and not reason.strip():
                raise Refused(_("Say why you remove this message."))
            self.removed_at, self.removed_by, self.reason = timezone.now(), by, reason.strip()
            self.save()
            self._regroup_next_line()
            self.room.find_last(list_ticks)
            self.withdraw_notifications()

    def _regroup_next_line(self):
        """The line after this one may now be the first of its day, or of its turn."""
        lines = self.room.messages.visible()
        after = lines.filter(pk__gt=self.pk).order_by("pk").first()
        if after:
            shown = after.opens_day, after.opens_turn
            after.place_after(lines.filter(pk__lt=self.pk).order_by("-pk").first())
            if shown != (after.opens_day, after.opens_turn):
                after.save()

    def place_after(self, before):
        """Take the place after the line ``before`` (Message, or None at the beginning)."""
        ours = timezone.get_default_timezone()  # the same for all pages, wherever they are read
        dates = {timezone.localdate(message.created_at, ours) for message in (before, self) if message}
        self.opens_day = before is None or len(dates) > 1
        self.opens_turn = (
            self.opens_day
            or before.author_id != self.author_id
            or self.created_at - before.created_at > timedelta(seconds=settings.MESSAGE_TURN)
        )

    def erase(self):
        """Take the message off the pages with what was said in it, for its author leaves."""
        with self.room.change_with_lists() as (_now, list_ticks):
            self.refresh_from_db()
            self.body = self.html = ""
            if not self.removed_at:
                self.removed_at, self.removed_by = timezone.now(), self.author
                self._regroup_next_line()
            self.save()
            self.room.find_last(list_ticks)
            self.withdraw_notifications()

    def notify(self, before=""):
        """Notify those whom the message concerns; in the transaction of its cause.

        After an edit, ``before`` (str) is the text that was replaced.
        """
        notify_each(self.recipients(before), thread=self.room, source=self, by=self.author)

    def withdraw_notifications(self):
        """Take back what was told of it: it is shown no longer."""
        withdraw_notifications(self)

    def recipients(self, before=""):
        """Whom the message concerns, and how (dict of kind to people); after an edit of ``before``, the newly named.

        In a conversation everybody who wants to hear of it, and did not block its author. Who has it before them has
        read it at once: the page says.
        """
        kind = Notification.Kind
        hears_nothing = models.Q(involvement=Membership.Involvement.NOTHING)
        if not self.room.is_direct:
            people = newly_named(self, before) if before else mentioned(self.body)
            uninterested = set(self.room.memberships.filter(hears_nothing).values_list("person", flat=True))
            return {kind.MENTION: [person for person in people if person.pk not in uninterested]}
        memberships = self.room.memberships.current().exclude(hears_nothing).select_related("person")
        memberships = memberships.exclude(person__blocks__whom=self.author)
        return {} if before else {kind.MESSAGE: [membership.person for membership in memberships]}

    def save(self, **options):
        if not self.html:
            self.html = render_markdown(self.body)
        super().save(**options)

    # Rules

    def check_can_change(self, verb):
        """Whether its author may still ``verb`` ("edit" or "delete") it. Raises ``Refused`` if not."""
        if verb == "edit" and self.room.archived:
            raise Closed(_("This room is closed."))
        if timezone.now() - self.created_at > timedelta(seconds=settings.MESSAGE_EDIT_WITHIN):
            late = {
                "edit": _("The time to edit this message has passed."),
                "delete": _("The time to delete this message has passed."),
            }
            raise Refused(late[verb])

    @staticmethod
    def readable(body):
        """``body`` (str) as it is kept: NFC, trimmed. Raises ``Refused`` if it is empty or too long."""
        body = normalize(body)
        if not body:
            raise Refused(_("Write something first."))
        if len(body) > settings.MESSAGE_LENGTH:
            raise Refused(
                _("Messages can have at most %(most)s characters (yours has %(n)s)."),
                params={"most": settings.MESSAGE_LENGTH, "n": len(body)},
            )
        return body

    # Questions

    def moderated_by(self, person):
        """Whether ``person`` may remove it: a moderator, and of what is private only what was reported."""
        seen = not self.room.is_direct or self.reports.exists()
        return seen and person.is_active and person.has_perm("rooms.moderate_message")

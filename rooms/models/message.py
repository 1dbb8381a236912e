from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

import live
from inbox.models import Notification, newly_named, notify_each, withdraw_notifications
from moderation.models import Action, Moderated, ModeratedQuerySet
from moderation.rules import moderates
from people.markdown import mentioned, render_markdown
from people.rates import TOO_OFTEN, consume
from people.rules import Closed, Refused, normalize
from people.versions import check
from rooms.models.membership import Membership

AROUND = 3  # lines that moderators see before and after a reported one


class MessageQuerySet(ModeratedQuerySet):
    def visible(self):
        return self.filter(removed_at=None)

    def for_moderators(self):
        return self.with_related().select_related("room")

    def purgeable(self):
        """Those that a purge removes."""
        return self.visible()

    def with_related(self):
        """With what the partial reads of other rows."""
        return self.select_related("author")

    def newest(self, most):
        """The newest ``most`` (int) of them, in the order in which they were said (list)."""
        return list(self.order_by("-pk")[:most])[::-1]


class Message(Moderated, live.Item):
    """A line in a room. It may be the first of its day, or of what its author says in one go: then it shows that."""

    shown_in = "room"
    NOTICES = {
        Action.Kind.REMOVED: _("A moderator removed your message in %(title)s: %(reason)s"),
        Action.Kind.RESTORED: _("A moderator restored your message in %(title)s"),
    }

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

    objects = MessageQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["room", "changed"]),
            models.Index(fields=["room", "-id"]),
            models.Index(fields=["author", "-created_at"]),
        ]
        constraints = [models.UniqueConstraint(fields=["room", "author", "key"], name="one_message_per_attempt")]
        verbose_name = _("message")
        verbose_name_plural = _("messages")

    def __str__(self):
        return self.body[:60]

    def get_absolute_url(self):
        return reverse("message", args=[self.pk])

    # Verbs

    def revise(self, by, body, address=None, opened=""):
        """Let ``by`` put ``body`` (str) in the place of the text; ``address`` (str) is where from.

        ``opened`` is the ``version`` (str) of the text that was edited: ``Conflict`` if another one is stored by now.
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
                check(self.body, opened)
                before, self.body, self.html = self.body, body, render_markdown(body)
                self.edited_at = timezone.now()
                self.save()
                self.notify(before)

    def lock_thread(self, now):
        self.lists = self.room.lock_with_lists(now)

    def take_down(self):
        self._stand(removed_at=timezone.now())
        self.withdraw_notifications()

    def put_back(self):
        self.removed_by, self.reason, self.born = None, "", 0
        self._stand(removed_at=None)
        self.notify()

    def _stand(self, removed_at):
        """Be on the pages, or no more; the lines before and after it meet, or part again."""
        self.removed_at = removed_at
        if not removed_at:
            self.place_after(self.room.messages.visible().filter(pk__lt=self.pk).order_by("-pk").first())
        self.save()
        self._regroup_next_line()
        self.room.find_last(self.lists)

    def _regroup_next_line(self):
        """The line after this one may now be the first of its day, or of its turn."""
        lines = self.room.messages.visible()
        after = lines.filter(pk__gt=self.pk).order_by("pk").first()
        if after:
            shown = after.opens_day, after.opens_turn
            after.place_after(lines.filter(pk__lt=after.pk).order_by("-pk").first())
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

    def check_deletable(self):
        self.check_can_change("delete")

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

    @property
    def thread(self):
        return self.room

    @property
    def is_shown(self):
        return self.removed_at is None

    def moderated_by(self, person):
        """A moderator decides about what was reported, and what they may read themselves, conversations aside."""
        if not person.is_active or not moderates(person):
            return False
        return self.is_open_to_moderators or (not self.room.is_direct and self.room.readable_by(person))

    @property
    def is_open_to_moderators(self):
        return self.room.kind == self.room.Kind.OPEN or self.reports.exists()

    @property
    def context_lines(self):
        """In a room that is open to all some lines before and after it; of private talk nothing else is shown."""
        if self.room.kind != self.room.Kind.OPEN:
            return [self]
        lines = self.room.messages.with_related()
        before, after = lines.filter(pk__lt=self.pk).order_by("-pk"), lines.filter(pk__gt=self.pk).order_by("pk")
        return [*reversed(before[:AROUND]), self, *after[:AROUND]]

    @property
    def is_as_born(self):
        """Whether every page that has it, has it so: what was put back some have as it was, or a note in its place."""
        return super().is_as_born and not self.is_decided

from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import F, Max, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

import live
from inbox.models import Notification, notify, read
from live.presence import rows as presence
from live.presence.tracker import stop_typing
from live.streams import name_of
from live.ticks import tick
from people.addresses import FormerAddress
from people.markdown import render_markdown
from people.models import Person
from people.rates import TooFast, check_rate, consume
from people.rules import Closed, Refused
from rooms.models.block import Block
from rooms.models.membership import Membership, MyRooms
from rooms.models.message import Message

JUST_NOW = timedelta(minutes=1)  # so long ago is a sign of reading after which one is not told of what comes next
SLOW_DOWN = _("Slow down: %(n)s s.")
STARTED_TOO_MANY = _("You have begun too many conversations today. Try again in %(n)s s.")


class RoomQuerySet(models.QuerySet):
    def public(self):
        return self.filter(kind=Room.Kind.OPEN)

    def private(self):
        return self.filter(kind=Room.Kind.DIRECT)


class OpenRooms:
    """The list of the rooms that are open to all, as something that can be watched."""

    pk = 1


OPEN_ROOMS = OpenRooms()


class Room(live.Item):
    """Where people talk: open to all, for members, or a conversation between the few whose ids are its key.

    As an ``Item`` it is a row of the list of open rooms.
    ``last`` is the id of the newest message that stands, ``marked`` that of the newest of which the members' lists
    know.
    """

    class Kind(models.TextChoices):
        OPEN = "open", _("Open to all")
        MEMBERS = "members", _("For members")
        DIRECT = "direct", _("Conversation")

    shown_in = OPEN_ROOMS
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.OPEN)
    name = models.CharField(_("name"), max_length=100, blank=True)
    slug = models.SlugField(_("address"), max_length=120, unique=True, null=True, blank=True, allow_unicode=True)
    topic = models.CharField(_("topic"), max_length=300, blank=True)
    archived = models.BooleanField(_("closed"), default=False, help_text=_("It can be read, and not written in."))
    member_key = models.CharField(max_length=250, unique=True, null=True, editable=False)
    about_type = models.ForeignKey(ContentType, models.SET_NULL, null=True, editable=False)
    about_id = models.BigIntegerField(null=True, editable=False)
    about = GenericForeignKey("about_type", "about_id")
    last = models.BigIntegerField(default=0, editable=False)
    marked = models.BigIntegerField(default=0, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = RoomQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        indexes = [models.Index(fields=["created_by", "created_at"])]
        constraints = [models.UniqueConstraint(fields=["about_type", "about_id"], name="one_room_about_a_thing")]
        verbose_name = _("room")
        verbose_name_plural = _("rooms")

    WRITTEN = ["kind", "name", "slug", "topic", "archived", "about_type", "about_id", "created_by", "born", "changed"]

    def __str__(self):
        return self.name or str(_("Conversation"))

    def get_absolute_url(self):
        """Of a conversation it is the list: its own address is another one for each of those who are in it."""
        return reverse("conversations") if self.is_direct else reverse("room", args=[self.slug])

    # Verbs

    def say(self, by, body, key=None, address=None):
        """Let ``by`` say ``body`` (str) from ``address`` (str; without one it is not limited). → the message.

        ``key`` (UUID) names the attempt: the same attempt made again yields the stored message. Raises
        ``Refused``, and ``PermissionDenied`` if ``by`` may not even read here.
        """
        body = Message.readable(body)
        if duplicate := self.find_duplicate(by, key):
            return duplicate
        try:
            check_rate("line", by, address, SLOW_DOWN)
            if self.kind == self.Kind.OPEN:
                self.admit(by)
            return self._say(Message(room=self, author=by, body=body, html=render_markdown(body), key=key), address)
        except TooFast:  # the same attempt, made twice at once?
            if duplicate := self.find_duplicate(by, key):
                return duplicate
            raise

    def _say(self, message, address):
        by = message.author
        with live.change() as now:
            consume("line", by, address, SLOW_DOWN)
            list_ticks = self.lock_with_lists(now)
            if duplicate := self.find_duplicate(by, message.key):
                now.undo()
                return duplicate
            self.refresh_from_db()
            self.check_can_write(by)
            message.place_after(self.messages.visible().order_by("-pk").first())
            message.save()
            self.last = message.pk
            Room.objects.filter(pk=self.pk).update(last=self.last)
            self.memberships.filter(person=by).update(read=self.last, read_at=timezone.now())
            for person_id, tick_ in list_ticks.items():
                self.memberships.filter(person=person_id).update(changed=tick_, marked=person_id != by.pk)
            message.notify()
            transaction.on_commit(lambda: stop_typing(name_of(self), str(by.pk)), robust=True)
            transaction.on_commit(lambda: read(by, self), robust=True)  # in the inbox: who answers has read
        return message

    @classmethod
    def write(cls, by, others, body, key=None, address=None):
        """Let ``by`` say ``body`` (str) to ``others`` (list of Person); their conversation may begin with it.

        → the message. Raises ``Refused``.
        """
        Message.readable(body)
        with transaction.atomic():
            room = cls.between(by, others) or cls.begin(by, others, address)
            return room.say(by, body, key, address)

    @classmethod
    def begin(cls, by, others, address=None):
        """Make the conversation between ``by``, at ``address``, and ``others`` (list of Person). → the room.

        Raises ``Refused``.
        """
        if not 1 <= len(others) < settings.CONVERSATION_MOST:
            raise Refused(_("A conversation has at most %(n)s people."), params={"n": settings.CONVERSATION_MOST})
        if timezone.now() - by.date_joined < timedelta(seconds=settings.CONVERSATION_AGE):
            raise Refused(_("Your account is too new to begin a conversation. Try again tomorrow."))
        consume("conversation", by, address, STARTED_TOO_MANY)
        if Block.objects.filter(by__in=others, whom__in=[by, *others]).exists():  # no accomplice brings them together
            raise Refused(
                _("This person does not accept messages from you.")
                if len(others) == 1
                else _("Not all of these people accept messages from each other.")
            )
        key = cls.key_of(by, others)
        room, is_new = cls.objects.get_or_create(member_key=key, kind=cls.Kind.DIRECT, defaults={"created_by": by})
        if is_new:
            everything = Membership.Involvement.EVERYTHING
            Membership.objects.bulk_create(
                Membership(room=room, person=person, involvement=everything) for person in [by, *others]
            )
        return room

    def admit(self, person):
        """Make ``person`` a member, if they are none, or none any more. → the membership"""
        membership, is_new = self.memberships.get_or_create(person=person, defaults={"read": self.last})
        if is_new or membership.left_at:
            # There it shows; and who comes back may have a page of it open.
            with live.change(MyRooms(person.pk), *([] if self.kind == self.Kind.OPEN else [self])):
                membership.left_at = None
                membership.save(update_fields=["left_at"])
        return membership

    def revise(self):
        """Save the room as edited, and tell its pages, and those that list it."""
        with transaction.atomic():
            self.slug = self.slug or self._free_slug()
            before = self.pk and Room.objects.filter(pk=self.pk).values_list("slug", flat=True).first()
            if not self.pk:
                self.save()
            with live.change(OPEN_ROOMS, self):
                self.save(update_fields=self.WRITTEN)  # what is said meanwhile stays counted
            FormerAddress.note(self, before, self.slug)

    @contextmanager
    def change_with_lists(self):
        """A change of the room, and of a conversation's row in the lists of all who are in it. → ``(Change, told)``

        ``told`` (dict of a person's id to the tick of their list) is empty for a room: so many are told in parts.
        """
        with live.change() as now:
            yield now, self.lock_with_lists(now)

    def lock_with_lists(self, now):
        """Lock the room in the change ``now``, and the lists in which it stands. → ``told``, as above"""
        people = list(self.memberships.current().values_list("person_id", flat=True)) if self.is_direct else []
        now.lock(self, *map(MyRooms, people))
        return {pk: now.at(MyRooms(pk)) for pk in people}

    def find_last(self, list_ticks):
        """A line was removed, or put back: another may be the newest now, and who has read that has read all.

        ``list_ticks`` is as ``change_with_lists`` says. The marks in other lists go with the next ``mark_unread``.
        """
        last = self.messages.visible().aggregate(last=Max("pk", default=0))["last"]
        if Room.objects.filter(pk=self.pk).exclude(last=last).update(last=last, marked=F("last")):
            for person_id, now in list_ticks.items():
                self.memberships.filter(person=person_id).update(changed=now)
            for marked, read in ((False, {"read__gte": last}), (True, {"read__lt": last})):
                self.memberships.filter(person__in=list_ticks, **read).update(marked=marked)

    def mark_unread(self):
        """Put the marks in the members' lists right, some of them at a time: there is something new, or no more.

        Who was reading just now may read this in a moment: they are left alone so long. That a page of theirs is open
        is not enough. Who wants to hear everything finds it in their inbox, too; once, until they have read it.
        """
        last, here = self.last, [int(user_id) for user_id in presence.people([name_of(self)])[name_of(self)][0]]
        reading = Q(person__in=here, read_at__gt=timezone.now() - JUST_NOW)
        with transaction.atomic():
            unread = self.memberships.current().filter(marked=False, read__lt=last)
            unread = unread.exclude(involvement=Membership.Involvement.NOTHING)
            wrong = unread.exclude(reading) | self.memberships.filter(marked=True, read__gte=last)
            rows = list(wrong.select_related("person")[: settings.MARKS_AT_ONCE])
            for membership, now in zip(
                rows, tick(*(MyRooms(membership.person_id) for membership in rows)), strict=True
            ):
                membership.marked = membership.read < last
                membership.stamp(now)
            Membership.objects.bulk_update(rows, ["marked", "born", "changed"])
            everything = Membership.Involvement.EVERYTHING
            keen = [
                membership.person for membership in rows if membership.marked and membership.involvement == everything
            ]
            if keen and (newest := self.messages.visible().select_related("author").order_by("-pk").first()):
                notify(Notification.Kind.ROOM, keen, thread=self, source=newest, by=newest.author)
            if len(rows) < settings.MARKS_AT_ONCE and not unread.exists():
                Room.objects.filter(pk=self.pk).update(marked=last)

    # Rules

    def check_can_write(self, by):
        """Whether ``by`` may say something now. Raises ``Refused`` or ``PermissionDenied`` if not."""
        if not self.readable_by(by):
            raise PermissionDenied
        if self.archived:
            raise Closed(_("This room is closed."))
        if self.is_direct:
            others = list(self.members.exclude(pk=by.pk))
            if not others:
                raise Refused(_("There is nobody left to read this."))
            if len(others) == 1 and Block.objects.filter(by=others[0], whom=by).exists():
                raise Refused(_("This person does not accept messages from you."))

    def find_duplicate(self, by, key):
        """The message that the same attempt has made already, or None."""
        return self.messages.filter(author=by, key=key).first() if key else None

    def delete(self, *arguments, **options):
        """Its open pages are told that it is gone."""
        with live.change(self):
            return super().delete(*arguments, **options)

    # Questions

    @property
    def is_told(self):
        """Whether the list of open rooms is told of it: it stands there, or stood."""
        return bool(self.born) or self.kind == self.Kind.OPEN

    @property
    def is_direct(self):
        return self.kind == self.Kind.DIRECT

    def readable_by(self, person):
        """Whether ``person`` (perhaps AnonymousUser) may read here."""
        if self.kind == self.Kind.OPEN:
            return True
        return person.is_active and self.memberships.current().filter(person_id=person.pk).exists()

    is_known_to = readable_by  # as the thread of a notification

    @property
    def members(self):
        """Those who may read here, where not everybody may (QuerySet of Person)."""
        return Person.objects.filter(is_active=True, memberships__room=self, memberships__left_at=None)

    def speakers(self, among):
        """Those of ``among`` (QuerySet of people) who take part here: they are offered first, to be named."""
        return among.filter(memberships__room=self, memberships__left_at=None)

    @property
    def departed(self):
        """Those who left a conversation (list of Person): it keeps its name and its key."""
        if not self.is_direct or not self.pk:
            return []
        left = self.memberships.exclude(left_at=None).select_related("person").order_by("left_at")
        return [membership.person for membership in left]

    @property
    def theme(self):
        """What the room was made about, if the public may read that; else None."""
        return self.about if self.about and self.about.readable_by(AnonymousUser()) else None

    @classmethod
    def between(cls, by, others):
        """The conversation of ``by`` with ``others`` (list of Person), or None if there is none."""
        return cls.objects.private().filter(member_key=cls.key_of(by, others)).first()

    @staticmethod
    def key_of(by, others):
        return ",".join(map(str, sorted({by.pk, *(person.pk for person in others)})))

    @property
    def handle(self):
        """The key of a conversation as it may stand in an element's id."""
        return self.member_key.replace(",", "-")

    @property
    def floor(self):
        """The id of the oldest message that a page which refreshes itself may hold (int), 0 if it may hold all."""
        newest = self.messages.visible().order_by("-pk").values_list("pk", flat=True)
        return next(iter(newest[settings.MESSAGES_IN_PAGE - 1 : settings.MESSAGES_IN_PAGE]), 0)

    def _free_slug(self):
        stem = slugify(self.name, allow_unicode=True)[:100] or "room"
        taken = set(Room.objects.filter(slug__startswith=stem).exclude(pk=self.pk).values_list("slug", flat=True))
        taken |= set(FormerAddress.of(Room).filter(address__startswith=stem).values_list("address", flat=True))
        return next(slug for n in range(1, len(taken) + 2) if (slug := f"{stem}-{n}" if n > 1 else stem) not in taken)


def mark_unread():
    """Carry on telling the members of rooms what is new there, or no more. Conversations did so at once."""
    for room in Room.objects.exclude(kind=Room.Kind.DIRECT).exclude(marked=F("last")):
        room.mark_unread()

from datetime import timedelta

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Min, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

import live
from inbox.models.subscriptions import Ignore, Mute
from inbox.models.things import pointing
from live.ticks import tick
from people.markdown import mentioned
from people.models import Person
from people.rates import TOO_OFTEN, consume

NAMES_SHOWN = 3  # people whom a row knows by name; the others it counts


def later():
    """When a mail may tell of what happens now: there is time to read it on the site."""
    return timezone.now() + timedelta(seconds=settings.MAIL_DELAY)


class NotificationQuerySet(models.QuerySet):
    def visible(self):
        """The rows that an inbox shows, in its order."""
        return self.filter(withdrawn=False).order_by("-at", "-pk")

    def unread(self):
        """The rows that the badge counts."""
        return self.filter(withdrawn=False, read_at=None)

    def about(self, thread):
        return self.filter(**pointing("thread", thread))

    def with_related(self):
        """The rows as a list, with the threads and the people whom their sentences name: in a few queries."""
        rows = list(self.prefetch_related("thread"))
        people = Person.objects.in_bulk({pk for row in rows for pk in row.people_ids})
        for row in rows:
            row.people = [people[pk] for pk in row.people_ids if pk in people]
        return rows


class Notification(live.Item):
    """One row of ``person``'s inbox: what happened in ``thread``, newest ``source`` and first three ``people_ids``
    (keys).

    While a row is unread, more of the same kind in the same thread adds to it; the ``sources`` say what it consists of.
    A row whose causes were all taken back is ``withdrawn``: it stays, for only rows can tell open pages. ``moved`` is
    the tick at which it last took the first place. From ``mail_at`` on a mail may tell of it (``EmailDigest``); None:
    there is nothing to tell, for it was read or mailed. Who changes that holds the person's stream (``tick``).

    A thread may say ``is_known_to(person)``: whether the person may read its title now.
    """

    class Kind(models.TextChoices):
        """In the order of precedence: of one source a person is told one thing."""

        MESSAGE = "message", gettext_lazy("private message")
        MENTION = "mention", gettext_lazy("mention")
        REPLY = "reply", gettext_lazy("reply")
        COMMENT = "comment", gettext_lazy("comment on my post")
        POST = "post", gettext_lazy("new post")
        ROOM = "room", gettext_lazy("talk in a room")
        MODERATION = "moderation", gettext_lazy("moderation")

    MERGED = [Kind.REPLY, Kind.COMMENT, Kind.POST, Kind.ROOM]

    shown_in = "person"
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=10, choices=Kind)
    thread_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    thread_id = models.PositiveBigIntegerField()
    thread = GenericForeignKey("thread_type", "thread_id")
    source_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    source_id = models.PositiveBigIntegerField()
    source = GenericForeignKey("source_type", "source_id")
    people_ids = models.JSONField(default=list)
    count = models.PositiveIntegerField(default=1)  # of people
    at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)
    withdrawn = models.BooleanField(default=False)
    moved = models.BigIntegerField(default=0)
    mail_at = models.DateTimeField(null=True, default=later)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["person", "changed"]),
            models.Index(fields=["person", "-at"]),
            models.Index(fields=["person"], condition=Q(read_at=None, withdrawn=False), name="inbox_unread"),
            models.Index(fields=["mail_at"], condition=Q(withdrawn=False, mail_at__isnull=False), name="inbox_to_mail"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "thread_type", "thread_id", "kind"],
                condition=Q(read_at=None, withdrawn=False, kind__in=["reply", "comment", "post", "room"]),
                name="one_unread_row_per_thread_and_kind",
            )
        ]

    def __str__(self):
        return self.sentence

    def get_absolute_url(self):
        return reverse("notification", args=[self.pk])

    # Verbs

    def read(self):
        """The person has seen this."""
        _read(self.person, Notification.objects.filter(pk=self.pk))

    def unread(self, address=None):
        """The person, at ``address`` (str), wants to come back to this. Raises ``TooFast``.

        Another unread row of the same kind and thread takes it in.
        """
        with transaction.atomic():
            consume("subscription", self.person, address, TOO_OFTEN)
            with self.change() as now:
                if self.withdrawn or not self.read_at:
                    return now.undo()  # nothing changed: no page is told
                alike = {"kind": self.kind, "thread_type": self.thread_type_id, "thread_id": self.thread_id}
                same = Notification.objects.unread().filter(person=self.person, **alike)
                if self.kind in self.MERGED and (other := same.first()):
                    self.sources.update(notification=other)
                    other.recount()
                    other.save()
                    self.withdrawn = True
                else:
                    self.read_at = None
                self.save()

    def recount(self):
        """Find anew who is behind this row, and the newest of its sources; with none left it is gone."""
        by = self.sources.exclude(by=None).values("by").annotate(first=Min("pk")).order_by("first")
        everybody = list(by.values_list("by", flat=True))
        self.people_ids, self.count = everybody[:NAMES_SHOWN], len(everybody) or 1
        newest = self.sources.order_by("-pk").first()
        if newest:
            self.source_type_id, self.source_id = newest.source_type_id, newest.source_id
        self.withdrawn = newest is None

    # Questions

    @property
    def data_key(self):
        """Where the row stands among the others: by time, in microseconds."""
        return f"{int(self.at.timestamp() * 1e6)}{self.pk:010d}"

    @property
    def target(self):
        """The path of what the row is about: its newest source, or the thread. The inbox, if that was withdrawn."""
        things = [thing for thing in (self.source, self.thread) if thing]
        if not things or not all(knows(self.person, thing) for thing in things):
            return reverse("inbox")
        return things[0].get_absolute_url()

    @property
    def title(self):
        if self.thread is None or not knows(self.person, self.thread):
            return _("something withdrawn")
        return str(self.thread)

    @cached_property
    def people(self):
        """The first of those who are behind the row (list of Person)."""
        people = Person.objects.in_bulk(self.people_ids)
        return [people[pk] for pk in self.people_ids if pk in people]

    @property
    def names(self):
        """Who it was: up to three by name, or two and how many others (str)."""
        names = [str(person) for person in self.people]
        if not names:
            return _("Somebody")
        if self.count > NAMES_SHOWN and len(names) > 1:
            # Chinese says how many there are in all: 李、Ana 等 6 人.
            counted = pgettext("after two names, say “others” or “all”: who are counted", "others")
            number = self.count if counted == "all" else self.count - 2
            return _("%(one)s, %(two)s and %(n)s others") % {"one": names[0], "two": names[1], "n": number}
        match names:
            case [one]:
                return one
            case [one, two]:
                return _("%(one)s and %(two)s") % {"one": one, "two": two}
            case [one, two, three]:
                return _("%(one)s, %(two)s and %(three)s") % {"one": one, "two": two, "three": three}

    @property
    def sentence(self):
        """What the row says (str, plain text, in the current language)."""
        match self.kind:
            case self.Kind.MESSAGE:
                sentence = _("%(names)s sent you a message")
            case self.Kind.MENTION:
                sentence = _("%(names)s mentioned you in %(title)s")
            case self.Kind.REPLY:
                sentence = _("%(names)s replied in %(title)s")
            case self.Kind.COMMENT:
                sentence = _("%(names)s commented on your post %(title)s")
            case self.Kind.POST:
                sentence = _("%(names)s published %(title)s")
            case self.Kind.ROOM:
                sentence = _("%(names)s wrote in %(title)s")
            case self.Kind.MODERATION:
                sentence = str(getattr(self.source, "notice", _("A moderator looked at what you said in %(title)s")))
                return sentence.replace("%(title)s", self.title)
        return sentence % {"names": self.names, "title": self.title}


def knows(person, thread):
    """Whether ``person`` may know of ``thread``: if it has anything to say about that, it says."""
    return not hasattr(thread, "is_known_to") or thread.is_known_to(person)


class NotificationSource(models.Model):
    """One reason for a notification: that ``by`` did ``source``. Of one source nobody is told twice."""

    notification = models.ForeignKey(Notification, models.CASCADE, related_name="sources")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    source_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    source_id = models.PositiveBigIntegerField()
    source = GenericForeignKey("source_type", "source_id")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["source_type", "source_id"])]
        constraints = [
            models.UniqueConstraint(fields=["person", "source_type", "source_id"], name="notified_once_of_a_source")
        ]

    def __str__(self):
        return f"{self.source_type} {self.source_id} for {self.person}"


# What the other apps call, inside the transaction of the cause.
#
# A stream's row stays locked until its transaction ends, so all transactions must lock in one order: first the
# stream of what changed (a post, a room), then those of the people who are told, all of them in one call. Whoever
# tells of two changes makes two transactions of it.


def notify(kind, people, *, thread, source, by):
    """Notify ``people`` (iterable of Person) that ``by`` (Person or None) did ``source`` in ``thread``.

    ``kind`` is a ``Notification.Kind``. Left out are ``by``, who was told of ``source`` already, who may not sign
    in, who may not know of ``thread``, and (but for moderation) who muted it or ignores ``by``.

    Raises ``TransactionManagementError`` outside a transaction.
    """
    notify_each({kind: people}, thread=thread, source=source, by=by)


def notify_each(recipients, *, thread, source, by):
    """As ``notify``, for several kinds at once: ``recipients`` maps kinds to people. Each is told one thing."""
    kinds = {}
    for kind in Notification.Kind:
        for person in recipients.get(kind, ()):
            kinds.setdefault(person.pk, kind)
    if by:
        kinds.pop(by.pk, None)
    people = _willing(kinds, thread, source, by)
    if not people:
        return
    heads = tick(*people)
    open_rows = Notification.objects.unread().about(thread).filter(person__in=people, kind__in=Notification.MERGED)
    open_rows = {(row.person_id, row.kind): row for row in open_rows}
    new, joined, sources = [], [], []
    for person, now in zip(people, heads, strict=True):
        row = open_rows.get((person.pk, kinds[person.pk]))
        if row is None:
            row = Notification(person=person, kind=kinds[person.pk], thread=thread, people_ids=[by.pk] if by else [])
            new.append(row)
        else:
            joined.append(row)
        row.source, row.at, row.moved = source, timezone.now(), now
        row.mail_at = row.mail_at or later()
        row.stamp(now)
        sources.append(NotificationSource(notification=row, person=person, source=source, by=by))
    Notification.objects.bulk_create(new)
    NotificationSource.objects.bulk_create(sources)
    for row in joined:
        row.recount()
        row.save()


def newly_named(source, before):
    """Whom the ``body`` of ``source`` names since an edit, and its text ``before`` (str) did not: list of Person.

    Left out are those who were told of it already: however often it is edited, no more people are told that they are
    named in it than one text may name.
    """
    told = dict(
        NotificationSource.objects.filter(**pointing("source", source)).values_list("person", "notification__kind")
    )
    allowed = max(0, settings.MENTIONS - list(told.values()).count(Notification.Kind.MENTION))
    earlier = {person.pk for person in mentioned(before)} | told.keys()
    return [person for person in mentioned(source.body) if person.pk not in earlier][:allowed]


def _willing(kinds, thread, source, by):
    """Those of ``kinds`` (dict of a person's key to kind) who shall hear of ``source``: list of Person."""
    if not kinds:
        return []
    notified = NotificationSource.objects.filter(person__in=kinds, **pointing("source", source)).values("person")
    people = Person.objects.filter(pk__in=kinds, is_active=True).exclude(pk__in=notified)
    unwilling = set(
        Mute.objects.filter(person__in=kinds, **pointing("thread", thread)).values_list("person", flat=True)
    )
    if by:
        unwilling |= set(Ignore.objects.filter(person__in=kinds, ignored=by).values_list("person", flat=True))
    willing = [
        person for person in people if person.pk not in unwilling or kinds[person.pk] == Notification.Kind.MODERATION
    ]
    return [person for person in willing if knows(person, thread)]


def withdraw_notifications(source, most=None):
    """Take back what was told of ``source``: rows lose a name, or go. → of how many people (int)

    ``most`` (int) limits them, for what so many were told of that it is done in parts.
    """
    sources = NotificationSource.objects.filter(**pointing("source", source)).order_by("pk")[:most]
    people = list(Person.objects.filter(pk__in=list(sources.values_list("person", flat=True))))
    if not people:
        return 0
    heads = dict(zip([person.pk for person in people], tick(*people), strict=True))
    sources = NotificationSource.objects.filter(person__in=people, **pointing("source", source))
    rows = list(Notification.objects.filter(sources__in=sources))
    sources.delete()
    left = set(NotificationSource.objects.filter(notification__in=rows).values_list("notification", flat=True))
    for row in rows:
        row.stamp(heads[row.person_id])
        row.withdrawn = row.pk not in left
        if not row.withdrawn:
            row.recount()
            row.save()
    Notification.objects.bulk_update([row for row in rows if row.withdrawn], ["withdrawn", "changed"])
    return len(people)


def read(person, thread):
    """``person`` has ``thread`` before them: nothing in it is news to them any more. In all their tabs.

    Opening the thread reads it, and so does saying something there. That somebody answers while it is open does
    not: the page may be in a tab that nobody looks at, and a badge that never shows would be missed.
    """
    _read(person, Notification.objects.about(thread))


def read_all(person):
    """``person`` has seen it all."""
    _read(person, Notification.objects.all())


def _read(person, rows):
    rows = rows.unread().filter(person=person)
    if not rows.exists():
        return
    with live.change(person) as now:
        rows.update(read_at=timezone.now(), mail_at=None, changed=now.at(person))

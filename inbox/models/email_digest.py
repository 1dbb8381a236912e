import logging
from datetime import timedelta
from urllib.parse import urlsplit

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import models
from django.db.models import F, Max, Q
from django.utils import timezone

import live
from inbox.models.notification import Notification, NotificationSource, knows, later
from inbox.models.subscriptions import Ignore, Mute
from people.models import Person

logger = logging.getLogger("inbox")

URGENT = [Notification.Kind.MENTION, Notification.Kind.MESSAGE]  # sent at once to those who wish so
LEASE = timedelta(minutes=10)  # for one attempt: a mail server may be slow, and each of its answers takes up to 10 s
PAUSE = timedelta(minutes=1)  # after the first attempt that failed; then twice as long each time
LONGEST_PAUSE = timedelta(hours=1)
PATIENCE = timedelta(days=5)  # for a server that refuses a digest: as RFC 5321, 4.5.4.1 says
BATCH = 100  # rows looked at in one go: others want to write meanwhile


class EmailDigest(models.Model):
    """A mail that is on its way to ``person``, or that went, about ``rows`` of their inbox (list of keys).

    A person has at most one on its way. ``bundle`` says that it tells of what is not urgent: of such the person gets
    one in so many hours. ``due_at`` is when it is tried next, None once it went. Whoever tries puts that off by a
    ``LEASE`` first, in one conditional update: nobody else tries meanwhile, and if the process dies, another does it.

    So a digest goes *at least* once. It goes twice only if a process dies, or its mail server falls silent, between the
    server's taking it and our writing that down; then both have the same ``message_id``, by which mailboxes know
    them for one. The other way round, digests would be lost at such moments, and nobody would ever know.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    rows = models.JSONField()
    bundle = models.BooleanField()
    built_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(null=True, default=timezone.now)
    tries = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="digests_due"),
            models.Index(fields=["person", "built_at"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["person"], condition=Q(due_at__isnull=False), name="one_pending_digest_per_person"
            )
        ]

    def __str__(self):
        return f"letter {self.pk} to {self.person}"

    # Verbs

    @classmethod
    def is_any_due(cls):
        """Whether there is anything to pack or to send now."""
        now = timezone.now()
        return _due(now).exists() or cls.objects.filter(due_at__lte=now).exists()

    @classmethod
    def build_due(cls):
        """Make digests of what people have not read in time. Several processes may: each thing gets into one digest."""
        people = set(_due(timezone.now()).order_by("mail_at").values_list("person", flat=True)[:BATCH])
        for person in Person.objects.filter(pk__in=people):
            cls.build(person)

    @classmethod
    def build(cls, person):
        """Make a digest to ``person`` of what is due, or put off for the next bundle what is not urgent.

        Who wants no mail, may not sign in, or has confirmed no address gets none: nor later, of the same.
        """
        with person.change():  # nobody changes the person's rows meanwhile, nor packs
            now = timezone.now()
            due = _due(now).filter(person=person)
            rows = list(due.filter(read_at=None)) if wants_mail(person) else []
            if rows and cls.objects.filter(person=person, due_at__isnull=False).exists():
                due.update(mail_at=later())
                return
            urgent = [row.pk for row in rows if person.mail == Person.Mail.AT_ONCE and row.kind in URGENT]
            others = [row.pk for row in rows if row.pk not in urgent]
            if (next_bundle := cls.next_bundle(person)) and next_bundle > now:
                Notification.objects.filter(pk__in=others).update(mail_at=next_bundle)
                others = []
            if urgent or others:
                bundle = bool(others)
                cls.objects.filter(person=person, bundle=bundle).delete()  # of those that went, the newest is enough
                cls.objects.create(person=person, rows=urgent + others, bundle=bundle)
            due.update(mail_at=None)

    @classmethod
    def next_bundle(cls, person):
        """When ``person`` may get the next bundle (datetime), or None: they had none before."""
        last = cls.objects.filter(person=person, bundle=True).aggregate(last=Max("built_at"))["last"]
        daily = person.mail == Person.Mail.DAILY
        return last and last + timedelta(seconds=settings.MAIL_DAILY if daily else settings.MAIL_BUNDLED)

    @classmethod
    def take(cls):
        """The digest that has waited longest, for this process alone as long as the lease lasts; None: none is due."""
        now = timezone.now()
        while digest := cls.objects.filter(due_at__lte=now).order_by("due_at").select_related("person").first():
            if digest._put_off(now + LEASE, tries=F("tries") + 1):
                digest.tries += 1
                return digest

    def sent(self, rows):
        """The mail server has taken it, with ``rows`` (Notifications) as they were read."""
        with live.change(self.person):
            for row in rows:
                if row.mail_at:  # more came while the digest waited, and stands in it
                    Notification.objects.filter(pk=row.pk, moved=row.moved).update(mail_at=None)
            EmailDigest.objects.filter(pk=self.pk).update(due_at=None)

    def delay(self):
        """It could not be sent: try again later, and each time later."""
        self._put_off(timezone.now() + min(PAUSE * 2 ** min(self.tries - 1, 10), LONGEST_PAUSE))

    def refused(self):
        """The mail server took others, but would not take this one. After some days that is its last word."""
        if self.built_at > timezone.now() - PATIENCE:
            self.delay()
        else:
            logger.error("digest %s is given up after %s tries", self.pk, self.tries)
            self.delete()

    @classmethod
    def delay_all(cls):
        """The mail server cannot be reached: let no process try for a while."""
        now = timezone.now()
        cls.objects.filter(due_at__lte=now).update(due_at=now + PAUSE)

    def _put_off(self, until, **more):
        mine = EmailDigest.objects.filter(pk=self.pk, due_at=self.due_at).update(due_at=until, **more)
        self.due_at = until
        return mine

    # Questions

    @property
    def message_id(self):
        """The same at every attempt; of no other digest, even after the database was set back."""
        return f"<{self.pk}.{self.built_at:%Y%m%d%H%M%S%f}@{urlsplit(settings.ORIGINS[0]).hostname}>"

    def unread_notifications(self):
        """What the mail shall say if it goes now: list of Notification, newest first; empty: it need not go.

        What was read, taken back or muted meanwhile is no news, nor what only people did who are ignored now.
        """
        if not wants_mail(self.person):
            return []
        unread = Notification.objects.unread().filter(person=self.person, pk__in=self.rows)
        muted = set(Mute.objects.filter(person=self.person).values_list("thread_type", "thread_id"))
        ignored = Ignore.objects.filter(person=self.person).values("ignored")
        from_others = NotificationSource.objects.filter(notification__in=unread).exclude(by__in=ignored)
        from_others = set(from_others.values_list("notification", flat=True))

        def belongs_in_mail(row):
            if row.kind == row.Kind.MODERATION:
                return True
            if row.pk not in from_others or (row.thread_type_id, row.thread_id) in muted:
                return False
            return row.thread is not None and knows(self.person, row.thread)

        return [row for row in unread.order_by("-at", "-pk").with_related() if belongs_in_mail(row)]


def address_of(person):
    """Where mail reaches ``person`` (str), or "": an address that nobody has confirmed may be a stranger's."""
    confirmed = EmailAddress.objects.filter(user=person, verified=True).order_by("-primary", "pk")
    return confirmed.values_list("email", flat=True).first() or ""


def wants_mail(person):
    return person.is_active and person.mail != Person.Mail.OFF and address_of(person) != ""


def _due(now):
    return Notification.objects.filter(withdrawn=False, mail_at__lte=now)

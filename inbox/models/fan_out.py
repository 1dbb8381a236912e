import time

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from inbox.models.notification import Notification, notify, withdraw_notifications
from inbox.models.subscriptions import Follow
from inbox.models.things import pointing

BATCH = 200  # people told in one transaction
A_WHILE = 2  # seconds that a process gives to fan-outs at each heartbeat


class FanOut(models.Model):
    """The followers of ``by`` are to be told of ``source``, or no longer (``back``): too many for a request.

    The heartbeat of any one process carries it on in batches; ``cursor`` is the last Follow that was told. Written in
    the transaction of its cause. Telling and taking back may follow each other, and each may stop half-way: a
    person is told of a source at most once.
    """

    source_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    source_id = models.PositiveBigIntegerField()
    source = GenericForeignKey("source_type", "source_id")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    back = models.BooleanField(default=False)
    cursor = models.BigIntegerField(default=0)
    done = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source_type", "source_id"], name="one_fan_out_per_source")]
        indexes = [models.Index(fields=["id"], condition=models.Q(done=False), name="fan_outs_to_do")]

    def __str__(self):
        return f"{self.source_type} {self.source_id} by {self.by}"

    @classmethod
    def notify(cls, source, by):
        """Let the followers of ``by`` (Person) be told of ``source``."""
        anew = {"by": by, "back": False, "cursor": 0, "done": False}
        cls.objects.update_or_create(**pointing("source", source), defaults=anew)

    @classmethod
    def withdraw(cls, source):
        """Let what they were told be taken back."""
        cls.objects.filter(**pointing("source", source)).update(back=True, done=False)

    def carry_on(self):
        """Do the next batch. In a transaction in which this row is locked, so that no two processes do the same."""
        if self.source is None:
            return self.delete()
        if self.back:
            batch = withdraw_notifications(self.source, most=BATCH)
        else:
            follows = Follow.objects.filter(author=self.by, pk__gt=self.cursor).select_related("person").order_by("pk")
            follows = list(follows[:BATCH])
            people = [follow.person for follow in follows]
            notify(Notification.Kind.POST, people, thread=self.source, source=self.source, by=self.by)
            self.cursor = follows[-1].pk if follows else self.cursor
            batch = len(follows)
        self.done = batch < BATCH
        self.save()


def run_fan_outs():
    """Carry on what is to be told, for a while. Several processes may: each batch is done by one of them."""
    until = time.monotonic() + A_WHILE
    left = FanOut.objects.filter(done=False).order_by("pk")
    while time.monotonic() < until and left.exists():
        with transaction.atomic():
            fan_out = left.select_for_update(skip_locked=True).first()
            if fan_out is None:  # others are at it
                return
            fan_out.carry_on()

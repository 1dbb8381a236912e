"""What a person chose: whom to follow, whom to ignore, which thread to hear no more of."""

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from inbox.models.things import pointing
from people.rates import TOO_OFTEN, consume


class Subscription(models.Model):
    """Something that ``person`` chose; it can be chosen once, and taken back."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    @classmethod
    def made(cls, person, thing):
        """The rows (QuerySet, at most one) that say that ``person`` chose ``thing``."""
        return cls.objects.filter(person=person, **cls.naming(thing))

    @classmethod
    def make(cls, person, thing, chosen=True, address=None):
        """Let ``person`` choose ``thing`` from ``address`` (str), or no longer (``chosen``, bool). Twice is as once.

        Raises ``TooFast``.
        """
        with transaction.atomic():
            consume("subscription", person, address, TOO_OFTEN)
            if chosen:
                cls.objects.get_or_create(person=person, **cls.naming(thing))
            else:
                cls.made(person, thing).delete()


class Follow(Subscription):
    """``person`` is told of the posts that ``author`` publishes."""

    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["author", "person"], name="follow_once")]
        indexes = [models.Index(fields=["author", "id"])]

    @staticmethod
    def naming(author):
        return {"author": author}


class Ignore(Subscription):
    """``person`` is told nothing of what ``ignored`` says."""

    ignored = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "ignored"], name="ignore_once")]

    @staticmethod
    def naming(ignored):
        return {"ignored": ignored}


class Mute(Subscription):
    """``person`` is told nothing of what is said in ``thread``, not even when they are named there."""

    thread_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    thread_id = models.PositiveBigIntegerField()
    thread = GenericForeignKey("thread_type", "thread_id")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "thread_type", "thread_id"], name="mute_once")]

    @staticmethod
    def naming(thread):
        return pointing("thread", thread)

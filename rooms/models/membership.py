from django.conf import settings
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

import live
from inbox.models import read
from people.rates import TOO_OFTEN, consume


class MyRooms:
    """One person's rooms and conversations, as something that can be watched; ``pk`` is the person's."""

    def __init__(self, pk):
        self.pk = pk


class MembershipQuerySet(models.QuerySet):
    def current(self):
        return self.filter(left_at=None)

    def listed(self):
        """With what a list of rooms shows."""
        return self.select_related("room", "person").prefetch_related(
            models.Prefetch("room__memberships", Membership.objects.select_related("person").order_by("person_id"))
        )


class Membership(live.Item):
    """A person's part in a room: how much they want to hear, and how far they have read (the id of a message).

    ``read_at`` is when the person last gave a sign of reading, or talked. As an ``Item`` it is a row of the person's
    own list of rooms. ``marked`` says that the list was told of something unread, so that it is told once and not
    for each line.
    """

    class Involvement(models.TextChoices):
        NOTHING = "nothing", _("Nothing")
        MENTIONS = "mentions", _("Mentions")
        EVERYTHING = "everything", _("Everything")

    room = models.ForeignKey("rooms.Room", models.CASCADE, verbose_name=_("room"), related_name="memberships")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("person"), related_name="memberships"
    )
    involvement = models.CharField(_("hears of"), max_length=10, choices=Involvement, default=Involvement.MENTIONS)
    read = models.BigIntegerField(default=0, editable=False)
    read_at = models.DateTimeField(null=True, editable=False)
    marked = models.BooleanField(default=False, editable=False)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now, editable=False)
    left_at = models.DateTimeField(_("left"), null=True, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["person", "changed"])]
        constraints = [models.UniqueConstraint(fields=["room", "person"], name="one_membership_of_a_room")]
        verbose_name = _("member")
        verbose_name_plural = _("members")

    def __str__(self):
        return str(self.person)

    # Verbs

    def read_up_to(self, pk):
        """Know that the person has read the messages up to the one with the id ``pk`` (int); never less than before."""
        own = Membership.objects.filter(pk=self.pk)
        own.filter(read__lt=pk).update(read=pk, read_at=timezone.now())
        if own.filter(marked=True, read__gte=models.F("room__last")).exists():
            with live.change(self.shown_in) as now:
                own.update(marked=False, changed=now.at(self.shown_in))
        if own.filter(read__gte=models.F("room__last")).exists():
            read(self.person, self.room)  # in the inbox, too

    def listen(self, involvement, address=None):
        """Hear of as much as ``involvement`` says, which the person chose at ``address`` (str). Raises ``TooFast``."""
        with transaction.atomic():
            consume("subscription", self.person, address, TOO_OFTEN)
            with self.change():
                self.involvement = involvement
                self.save(update_fields=["involvement"])

    def leave(self, address=None):
        """End: the person's pages hear nothing more of a room that is not open to all.

        ``address`` (str) is where the person asked for it, if they did. Raises ``TooFast``.
        """
        with transaction.atomic():
            consume("subscription", self.person, address, TOO_OFTEN)
            with self.change(self.room):
                self.left_at = timezone.now()
                self.save(update_fields=["left_at"])

    # Questions

    @property
    def shown_in(self):
        return MyRooms(self.person_id)

    @property
    def is_unread(self):
        return self.left_at is None and self.involvement != self.Involvement.NOTHING and self.read < self.room.last

    @property
    def others(self):
        """The other people of the room (list of Person), in the order of their ids."""
        return [
            membership.person for membership in self.room.memberships.all() if membership.person_id != self.person_id
        ]

    @property
    def title(self):
        """What the room is called for this person: a conversation by the names of the others."""
        return ", ".join(map(str, self.others)) if self.room.is_direct else str(self.room)

    def get_absolute_url(self):
        if not self.room.is_direct:
            return self.room.get_absolute_url()
        return reverse("conversation", args=[",".join(person.username for person in self.others)])

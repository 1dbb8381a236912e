"""A person's own stream: every page of a signed-in person listens to it.

It tells them what concerns them alone, and ends their sockets when their session ends.
"""

from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.dispatch import receiver
from django.template.loader import render_to_string

from live import fragments
from live.streams import Stream, cursors, register
from live.ticks import tick
from people.models import NAMES, Names, Person

SIGNED_OUT = 4401
EVERYWHERE = []  # what stands on every page and can be watched: an app that has such a thing adds it


@register(Person)
class PersonStream(Stream):
    close_code = SIGNED_OUT

    def allows(self, person):
        return person.is_active and person.pk == self.thing.pk

    def items(self, since):
        return []

    def whole(self):
        return ""

    def farewell(self):
        return fragments.morph(render_to_string("partials/signed_out.html"), "#notice")


@register(Names)
class NamesStream(Stream):
    """For the cache of pages alone: no page listens to it."""

    @classmethod
    def load(cls, key):
        return NAMES

    def allows(self, person):
        return False

    def items(self, since):
        return []

    def whole(self):
        return ""


def watched(request, *things):
    """The cursors of a page that shows ``things``, and what stands on all; a person's pages listen to their stream."""
    own = [request.user] if request.user.is_authenticated else []
    return cursors(*things, *EVERYWHERE, *own)


def depends_on(*things):
    """The cursors on which a page depends that shows ``things`` and is kept for all: names stand there, too."""
    return cursors(*things, NAMES, *EVERYWHERE)


@receiver(user_logged_out)
def hear_of_signing_out(request, user, **_):
    """Django's own announcement is the only place that every way of signing out passes.

    It comes before the session ends; we end it first, for the sockets are asked when the ring is heard.
    """
    request.session.flush()
    if user:
        with transaction.atomic():
            tick(user)

"""A person's own stream: every page of a signed-in person listens to it.

It tells them what concerns them alone, and ends their sockets when their session ends (``sessions.py``).
"""

from allauth.usersessions.models import UserSession
from django.template.loader import render_to_string
from django.utils.functional import SimpleLazyObject

from live import fragments
from live.deltas import shown_everywhere
from live.messages import TRY_AGAIN
from live.shortcuts import cursors_for, on_every_page
from live.streams import Stream, register
from people.models import DISPLAY_NAMES, DisplayNames, Person

SIGNED_OUT = 4401
shown_everywhere.append(DISPLAY_NAMES)
on_every_page.append(lambda request: [request.user] if request.user.is_authenticated else [])


@register(Person)
class PersonStream(Stream):
    rank = 2  # people are told of what was changed elsewhere

    def allows(self, person):
        return person.is_active and person.pk == self.thing.pk

    def ended(self, viewer):
        """Say why; but a page whose session only got a new key comes back with that.

        The reason of a ban is told to the banned, not to one who is signed in as somebody else.
        """
        ended = UserSession.objects.filter(session_key=viewer.session).values_list("data", flat=True).first() or {}
        if ended.get("ended") == "renewed" and self.thing.is_active:
            return "", TRY_AGAIN
        person = None if viewer.person().is_authenticated else self.thing
        context = {"person": person, "by_password": ended.get("ended") == "password"}
        return fragments.morph(render_to_string("partials/people/signed_out.html", context), "#notice"), SIGNED_OUT


@register(DisplayNames)
class DisplayNamesStream(Stream):
    """For the cache of pages alone: no page listens to it."""

    rank = PersonStream.rank


def live(request):
    """Context processor: every page of a signed-in person is live, whoever made it; asked only if it is drawn."""
    return {"live": SimpleLazyObject(lambda: cursors_for(request) if hasattr(request, "user") else [])}

"""A person's own stream: every page of a signed-in person listens to it.

It tells them what concerns them alone, and ends their sockets when their session ends (``sessions.py``).
"""

from django.template.loader import render_to_string
from django.utils.functional import SimpleLazyObject

from live import fragments
from live.deltas import shown_everywhere
from live.messages import TRY_AGAIN
from live.shortcuts import cursors_for, on_every_page
from live.streams import Stream, register
from people.endings import EndedSession
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
        reason = EndedSession.reason_of(viewer.session)
        if reason == EndedSession.Reason.RENEWED and self.thing.is_active:
            return "", TRY_AGAIN
        other = viewer.person()
        context = {"reason": reason, "other": other if other.is_authenticated else None}
        context |= {"owner": self.thing, "person": None if other.is_authenticated else self.thing}
        return fragments.morph(render_to_string("partials/people/signed_out.html", context), "#notice"), SIGNED_OUT


def end_of_session(viewer):
    """What the page of ``viewer`` (Viewer) is told and its socket's code, if its session ended; else None.

    For all streams that not everybody may hear: who is signed out is told so, and not that they left a room.
    """
    reason = EndedSession.reason_of(viewer.session)
    if not reason:
        return None
    if reason == EndedSession.Reason.RENEWED:
        return "", TRY_AGAIN
    context = {"reason": reason}
    return fragments.morph(render_to_string("partials/people/signed_out.html", context), "#notice"), SIGNED_OUT


@register(DisplayNames)
class DisplayNamesStream(Stream):
    """For the cache of pages alone: no page listens to it."""

    rank = PersonStream.rank


def live(request):
    """Context processor: every page of a signed-in person is live, whoever made it; asked only if it is drawn."""
    return {"live": SimpleLazyObject(lambda: cursors_for(request) if hasattr(request, "user") else [])}

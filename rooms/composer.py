"""The forms by which one says something in a room, as HTML; and what a page needs to go on with them."""

from uuid import uuid4

from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django_htmx.http import reswap

from live import fragments
from live.connection import connect_again
from live.cursors import Cursor, resumed
from live.shortcuts import cursors_for
from live.streams import name_of
from rooms.forms import MessageForm


def composer(request, room, action, form):
    """What a page needs by which the person says something, ``form`` perhaps once more. → dict"""
    return {
        "line": say_form(request, room, action, MessageForm() if form.is_long else form),
        "next_line": next_line(request, room, action),
        "longer": say_form(request, room, action, form if form.is_long else longer_form()),
        "is_long": form.is_long and form.is_bound,
    }


def say_form(request, room, action, form, autofocus=False):
    """The ``form`` as HTML, by which one says something in ``room``, at the address ``action``."""
    context = {"form": form, "key": uuid4(), "room": room, "action": action, "autofocus": autofocus}
    return render_to_string(f"partials/rooms/say_{'long_' if form.is_long else ''}form.html", context, request)


def longer_form():
    return MessageForm(initial={"long": True})


def next_line(request, room, action):
    """What gives the page an empty line to write in, in the moment in which the last one is sent.

    So nothing that is typed meanwhile is lost. It does not ask us, who may be slow, for it carries the line with it.
    """
    line = say_form(request, room, action, MessageForm(), autofocus=True)
    return render_to_string("partials/rooms/next_line.html", {"line": line})


def with_new_token(request, room):
    """What lets the page say all that it holds, the line that was refused, the next, and a longer one (HTML)."""
    html = fragments.replace(next_line(request, room, request.path), "#next-line")
    token = f'<input type="hidden" name="csrfmiddlewaretoken" value="{get_token(request)}">'
    for other in ("#lines > .say:last-child", "#say-long"):
        html += fragments.replace(token, f"{other} [name=csrfmiddlewaretoken]")
    return html + live_again(request, room)


def refused(html, status):
    """The form comes back where it stood, and the view stays where it is."""
    return reswap(HttpResponse(html, status=status), "outerHTML swapEmpty:true")


def live_again(request, room):
    """Connect the page anew (HTML): as the one who asks now is signed in, to ``room``."""
    watching = cursors_for(request, *([room] if room.pk else []))
    whispers = Cursor(name_of(room), 0) if room.pk else None
    again = connect_again(resumed(request.POST, watching), whispers, request.user.is_authenticated)
    return again + fragments.morph('<div id="notice" role="status"></div>', "#notice")

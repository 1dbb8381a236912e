from typing import Any

from django import template
from django.template import Context
from django.utils.translation import get_language

from live.conf import settings
from live.connection import heartbeat
from live.cursors import Cursor
from live.lists import cached_partial
from live.streams import kinds, name_of

# An event, in which of its states the heartbeat heeds it, and what becomes of it (live/connection.py). What opens gets
# a sign of life from the server; a question that fails, on coming back to a page, tells that nothing works.
SIGNS = [
    ("htmx:ws:close from:body", ".live", "asleep"),
    ("htmx:ws:before:connection from:body", ":not(.connecting)", "connecting"),
    ("htmx:ws:after:connection from:body", ".connecting", "opened"),
    ("htmx:error from:#connection", ".asleep", "opened"),
]
register = template.Library()
register.filter("stream", name_of)
register.simple_tag(cached_partial)


@register.simple_tag
def setting(name: str) -> Any:
    """The value of the setting ``LIVE[name]``."""
    return getattr(settings, name)


def takes(cursors: list[Cursor], person: Any) -> str:
    """What a page with ``cursors`` takes from its answer to itself: ``hx-select-oob`` (str). See ``live/again.py``.

    ``person`` is for whom the answer must be made (a key, or ""), or None if that does not matter.
    """
    streams = [kinds[cursor.name.partition(":")[0]] for cursor in cursors]
    shown = {place: "outerMorph" for stream in streams for place in stream.places()}
    shown |= {"[data-live]": "outerMorph", "[id^=cursor-]": "outerHTML", "#again": "outerHTML"}
    of_person = "" if person is None else f"[data-person='{person}'] "
    return ",".join(f"{of_person}{place}:{swap}" for place, swap in shown.items())


@register.inclusion_tag("live/live.html", takes_context=True)
def live(context: Context, cursors: list[Cursor], of_person: bool = False) -> dict[str, Any]:
    """Connect the page and keep it current: one socket for all of ``cursors`` (list of ``Cursor``).

    The cursors are sent afresh at every connection, and after every answer that brought items, because
    such an answer may be older than what the socket brought meanwhile. The socket of an anonymous page
    sleeps while nobody looks at the page; that of a signed-in person stays, for the tab's title.

    A page that missed too much asks for itself again (``live/again.py``), and takes over what its streams show. With
    ``of_person`` its ``<body>`` says in ``data-person`` for whom it was made (the user's key, or nothing): an answer
    that was made for somebody else is not taken.

    If the context holds ``whispers`` (a ``Cursor``), its stream hears when somebody types in a field of the class
    ``says``; not what.
    """
    user = context.get("user")
    return {
        "cursors": cursors,
        "whispers": context.get("whispers"),
        "language": get_language(),
        "takes": takes(cursors, (user.pk if user and user.is_authenticated else "") if of_person else None),
        "signed_in": bool(user and user.is_authenticated),
        "signs": [  # which events bring the heartbeat into which state
            (event, heartbeat(get_language(), state, "#heartbeat" + those)) for event, those, state in SIGNS
        ],
    }

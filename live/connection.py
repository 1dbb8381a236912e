"""What tells a page whether it is live, and gives it a new socket: ``templates/live/``, as fragments.

``#heartbeat`` is in one of five states, which are its classes. *live*: the hub's heartbeat replaces it every few
seconds; if that ends, an animation comes to the front that says so, and its events have the page ask over HTTP
(``views.py``). *connecting*: the same, sooner; htmx goes on trying. *opened*: the same, but if nothing comes the page
needs a new socket. *asleep*: the page closed its socket because nobody looks at it; it says nothing, and asks when
somebody looks. *ended*: the page was told why it is not live; it asks nothing.
"""

from functools import lru_cache

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from live import fragments
from live.cursors import Cursor


@lru_cache
def heartbeat(language: str, state: str = "live", target: str = "#heartbeat") -> SafeString:
    """The fragment that brings ``target``, if it is there, into ``state`` (str, above), in ``language`` (a code)."""
    with translation.override(language):
        return fragments.replace(render_to_string("live/heartbeat.html", {"state": state}), target)


def connect_again(cursors: list[Cursor], whispers: Cursor | None, signed_in: bool) -> SafeString:
    """The fragment that ends the page's socket and opens a new one, of whoever is signed in now. As ``{% live %}``.

    ``cursors`` (list of ``Cursor``) and ``whispers`` (``Cursor`` or None) are the page's; ``signed_in`` (bool) says
    whether it is a person's.
    """
    context = {"cursors": cursors, "whispers": whispers, "signed_in": signed_in, "language": get_language()}
    return fragments.replace(render_to_string("live/socket.html", context), "#live")

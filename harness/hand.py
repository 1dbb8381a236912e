"""Somebody who writes without a browser."""

import re
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from rooms.models import Room

HTMX = {"HX-Request": "true"}


class Hand:
    """Writes as ``person`` over HTTP, as a browser would: comments on a ``thing`` that is a Post, lines in a Room.

    Other pages are rung. ``claims`` (dict) are further headers that it sends.
    """

    claims = {}

    def __init__(self, site, person, thing):
        session, shown = site.session(person), site.url + thing.get_absolute_url()
        self.address = f"{site.url}/rooms/{thing.pk}/messages/" if isinstance(thing, Room) else f"{shown}comments/"
        self.cookie = f"{session['name']}={session['value']}"
        page = self.ask(shown)
        self.cookie += "; " + page.headers["Set-Cookie"].partition(";")[0]
        self.token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.read().decode())[1]

    def ask(self, address, form=None):
        return urlopen(
            Request(address, form and urlencode(form).encode(), {"Cookie": self.cookie, **HTMX, **self.claims})
        )

    def write(self, text, parent="", key=""):
        """Post ``text``; raises ``HTTPError`` if it is refused."""
        self.ask(self.address, {"body": text, "parent": parent, "key": key, "csrfmiddlewaretoken": self.token})

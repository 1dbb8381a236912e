"""A browser of Django's test client, and what the socket of one of its pages would be told."""

from django.conf import settings
from django.test import Client

from live.cursors import heads
from live.deltas import compose
from live.streams import name_of
from live.viewers import Viewer
from people.tests.conftest import PASSWORD


class Browser(Client):
    """``Browser(bob)`` has signed in with his password, as people do."""

    def __init__(self, person=None, **defaults):
        super().__init__(**defaults)
        self.person = person
        if person:
            self.sign_in(person.username)

    def sign_in(self, login, password=PASSWORD, **more):
        return self.post("/accounts/login/", {"login": login, "password": password, **more})

    @property
    def key(self):
        cookie = self.cookies.get(settings.SESSION_COOKIE_NAME)
        return cookie.value if cookie else None

    @property
    def is_signed_in(self):
        return self.get("/accounts/preferences/").status_code == 200

    def listen(self):
        """Open a page. → its socket"""
        return Socket(self.person, self.key)


class Socket:
    def __init__(self, person, key):
        self.name = name_of(person)
        self.viewer = Viewer(key)
        self.tick = heads([self.name])[self.name]
        assert not self.hear().refused

    def hear(self):
        return compose(self.name, "en", self.tick, {self.viewer})

    @property
    def is_rung(self):
        return heads([self.name])[self.name] > self.tick

    @property
    def farewell(self):
        """What it is told at the end, and the code (``(text, code)``); ``(None, None)`` if it goes on."""
        return self.hear().refused.get(self.viewer, (None, None))

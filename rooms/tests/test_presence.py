"""Who is here and who types, as open pages of rooms are told, and for how long."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone

from live import hub
from live.presence import tracker
from live.streams import name_of
from live.tests.conftest import Page, until
from people.models import Person
from people.streams import SIGNED_OUT


@pytest.fixture
def open_room(transactional_db, den, alice, bob, monkeypatch):
    """``open_room(*people)``: coroutine; their pages, each of which says nothing but that it shows the den."""
    monkeypatch.setattr(tracker, "SETTLE", 0.02)

    async def open_room(*people):
        return [await Page(den, session=await hub.in_thread(sign_in, person)).open() for person in people]

    return open_room


def sign_in(person):
    """→ the key of the session"""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return session.session_key


def test_a_page_that_names_the_room_alone_is_on_its_persons_stream(open_room, alice, run):
    async def scene():
        [page] = await open_room(alice)
        assert list(page.consumer.audiences) == [name_of(alice), *(c.name for c in await page.cursors())]

    run(scene())


def test_a_ban_ends_the_pages_that_name_the_room_alone(open_room, den, alice, bob, run):
    root = Person.objects.create_superuser("root")

    async def scene():
        alices, bobs = await open_room(alice, bob)
        await bobs.hear("people-here")
        await hub.in_thread(bob.ban, root, "Advertising")
        await until(lambda: bobs.closed is not None)
        assert bobs.closed == SIGNED_OUT and not bobs.consumer.audiences and "Advertising" in bobs.told
        received = bobs.told
        bobs.say({cursor.signed: "0" for cursor in await bobs.cursors()})
        alices.say({"whisper": (await alices.cursors())[0].signed})
        await hub.in_thread(den.say, alice, "The secret marker")
        await alices.hear("marker")
        assert bobs.told == received

    run(scene())


@pytest.mark.parametrize("change", ["typing", "coming"])
def test_a_person_whose_session_expired_hears_nothing_of_who_is_here(open_room, den, alice, bob, carol, run, change):
    """Nothing rings when a session has had its time: they are asked before they are told anything."""
    den.admit(carol)

    async def scene():
        alices, bobs = await open_room(alice, bob)
        await bobs.hear("people-here")
        await alices.hear(">bob<")
        over = timezone.now() - timedelta(seconds=1)
        await hub.in_thread(lambda: Session.objects.filter(session_key=bobs.session).update(expire_date=over))
        bobs.told = ""
        if change == "typing":
            alices.say({"whisper": (await alices.cursors())[0].signed})
        else:
            await open_room(carol)
            await alices.hear(">carol<")
        await until(lambda: name_of(den) not in bobs.consumer.audiences)
        assert "your session has expired" in bobs.told and "not a member" not in bobs.told
        assert "alice" not in bobs.told and "carol" not in bobs.told

    run(scene())

"""Who is behind a page, whatever engine keeps the sessions."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from live.viewers import Viewer, people_of, session_key, session_store

IN_DATABASE = ["django.contrib.sessions.backends.db", "django.contrib.sessions.backends.cached_db", "parley.sessions"]
ELSEWHERE = [f"django.contrib.sessions.backends.{name}" for name in ("cache", "file", "signed_cookies")]


class OneByOne(ModelBackend):
    """A backend that looks for people in its own way."""

    def get_user(self, user_id):
        return super().get_user(user_id)


@pytest.fixture(params=IN_DATABASE + ELSEWHERE)
def engine(request, settings, tmp_path, db):
    settings.SESSION_ENGINE, settings.SESSION_FILE_PATH = request.param, str(tmp_path)
    session_store().__dict__.get("_storage_path") and delattr(session_store(), "_storage_path")
    return request.param.rpartition(".")[2]


@pytest.fixture
def alice(db):
    return get_user_model().objects.create_user("alice", password="x")


def enter(person):
    browser = Client()
    browser.force_login(person)
    return browser


def viewer(browser, settings):
    return Viewer(session_key(browser.cookies[settings.SESSION_COOKIE_NAME].value))


def test_alice_is_known_by_her_session_until_it_ends(engine, alice, settings):
    browser = enter(alice)
    page = viewer(browser, settings)
    assert page.person() == alice
    browser.logout()
    assert (page.person() == alice) is (engine == "signed_cookies")  # there the cookie itself is the session


def test_a_new_password_and_a_ban_end_all_sessions(engine, alice, settings):
    page = viewer(enter(alice), settings)
    alice.set_password("y")
    alice.save()
    assert page.person() == AnonymousUser()
    page = viewer(enter(alice), settings)
    assert page.person() == alice
    alice.is_active = False
    alice.save()
    assert page.person() == AnonymousUser()


@pytest.mark.parametrize("cookie", [None, "", "x", "no such session of anybody's", "a\0b" * 10, "é" * 40, "x" * 5000])
def test_a_cookie_that_we_never_made_is_nobodys(engine, cookie):
    assert Viewer(session_key(cookie)).person() == AnonymousUser()
    assert not Session.objects.exists()


@pytest.mark.parametrize("engine", [*IN_DATABASE, *ELSEWHERE[1:]], indirect=True)  # a cache forgets by itself
def test_an_expired_session_is_nobodys_and_no_new_one_takes_its_place(engine, alice, settings, tmp_path):
    settings.SESSION_COOKIE_AGE = -1
    browser = enter(alice)
    Session.objects.update(expire_date=timezone.now() - timedelta(days=1))
    assert viewer(browser, settings).person() == AnonymousUser()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("engine", IN_DATABASE, indirect=True)
def test_many_are_asked_about_in_two_queries(engine, settings, django_assert_num_queries):
    people = [get_user_model().objects.create_user(f"person{n}") for n in range(10)]
    viewers = {viewer(enter(person), settings): person for person in people}
    with django_assert_num_queries(2):
        assert people_of([*viewers, Viewer(), Viewer("nobody")]) == viewers | {
            Viewer(): AnonymousUser(),
            Viewer("nobody"): AnonymousUser(),
        }


def test_a_backend_that_finds_people_in_its_own_way_is_asked(alice, settings):
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.OneByOne"]
    page = viewer(enter(alice), settings)
    assert page.person() == alice
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]  # that backend is no more
    assert page.person() == AnonymousUser()

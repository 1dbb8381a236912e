"""Whose session ends is told so; whose does not, goes on."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone

from live.cursors import cursors
from live.messages import TRY_AGAIN
from people.tests.browsers import Browser
from people.tests.conftest import PASSWORD

NEW = "amaryllis-4-q"
CHANGE = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}


def test_signing_in_gives_a_new_key(bob):
    browser = Browser()
    session = browser.session
    session["planted"] = "by somebody else"
    session.save()
    before = browser.key
    browser.sign_in("bob")
    assert browser.key != before and browser.is_signed_in
    assert not Session.objects.filter(session_key=before).exists()
    thief = Browser()
    thief.cookies["sessionid"] = before
    assert not thief.is_signed_in


@pytest.mark.parametrize("cookie", ['"\\000aaaaaaaa"', "A" * 32, "é" * 32, "0" * 1000, "%00", "'", "0123456789 abcdef"])
def test_a_cookie_that_holds_no_key_is_no_session_and_no_database_is_asked(bob, cookie, django_assert_num_queries):
    stranger = Browser(headers={"Cookie": f"sessionid={cookie}"})
    with django_assert_num_queries(0):
        assert stranger.get("/accounts/preferences/").status_code == 302
    page = stranger.get("/accounts/login/", {"next": "/accounts/profile/"})
    assert page.status_code == 200
    assert stranger.sign_in("bob").status_code == 302 and len(stranger.key) == 32


def test_signing_out_closes_the_pages_of_this_browser_alone(bob):
    laptop, phone = Browser(bob), Browser(bob)
    here, there = laptop.listen(), phone.listen()
    laptop.post("/accounts/logout/")
    text, code = here.farewell
    assert code == 4401 and "You are signed out" in text and here.is_rung
    assert there.farewell == (None, None) and phone.is_signed_in


def test_a_new_password_ends_the_other_sessions_and_not_its_own(bob):
    laptop, phone = Browser(bob), Browser(bob)
    here, there = laptop.listen(), phone.listen()
    before = laptop.key
    assert laptop.post("/accounts/password/change/", CHANGE).status_code == 302
    text, code = there.farewell
    assert code == 4401 and "password of your account was changed" in text and there.is_rung
    assert not phone.is_signed_in
    assert laptop.is_signed_in and laptop.key != before
    assert here.farewell == ("", TRY_AGAIN)  # its browser has the new key by now
    here.viewer = laptop.listen().viewer
    assert here.farewell == (None, None)


def test_the_page_that_changes_a_password_may_not_be_the_one_that_was_stolen(bob):
    """The old key is worth nothing afterwards."""
    laptop = Browser(bob)
    before = laptop.key
    laptop.post("/accounts/password/change/", CHANGE)
    thief = Browser()
    thief.cookies["sessionid"] = before
    assert not thief.is_signed_in


def test_a_reset_ends_all_sessions(bob, mailoutbox):
    laptop = Browser(bob)
    socket = laptop.listen()
    browser = Browser()
    browser.post("/accounts/password/reset/", {"email": bob.email})
    page = browser.get(re.search(r"/accounts/password/reset/key/\S+", mailoutbox[0].body)[0], follow=True)
    browser.post(page.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})
    text, code = socket.farewell
    assert code == 4401 and "password of your account was changed" in text and socket.is_rung
    assert not laptop.is_signed_in
    assert Browser().sign_in("bob", NEW).status_code == 302


def test_a_password_given_by_the_admin_ends_all_sessions_but_the_admins(bob, root):
    admin, laptop = Browser(root), Browser(bob)
    socket = laptop.listen()
    form = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    assert admin.post(f"/admin/people/person/{bob.pk}/password/", form).status_code == 302
    assert "password of your account was changed" in socket.farewell[0] and socket.is_rung
    assert not laptop.is_signed_in and admin.is_signed_in

    own = admin.listen()
    assert own.farewell == (None, None)
    assert admin.post(f"/admin/people/person/{root.pk}/password/", form).status_code == 302
    assert own.farewell == ("", TRY_AGAIN) and admin.is_signed_in
    assert admin.get("/admin/password_change/").url == "/accounts/password/change/"


def test_the_list_of_sessions_signs_the_others_out(bob, carol):
    laptop, phone, hers = Browser(bob), Browser(bob, headers={"User-Agent": "<i>Phone</i>"}), Browser(carol)
    here, there, elsewhere = laptop.listen(), phone.listen(), hers.listen()
    page = laptop.get("/accounts/sessions/").content.decode()
    assert page.count("<time") == 2 and "&lt;i&gt;Phone" in page
    laptop.post("/accounts/sessions/")
    assert there.farewell[1] == 4401 and there.is_rung and not phone.is_signed_in
    assert here.farewell == (None, None) and laptop.is_signed_in
    assert not elsewhere.is_rung and hers.is_signed_in
    assert laptop.get("/accounts/sessions/").content.decode().count("<time") == 1


def test_bob_may_end_a_single_session_of_his(bob, carol):
    laptop, phone, tablet, hers = Browser(bob), Browser(bob), Browser(bob), Browser(carol)
    here, there, elsewhere = laptop.listen(), phone.listen(), tablet.listen()
    mine, another = (one.person.usersession_set.get(session_key=one.key) for one in (phone, hers))
    address = f"/accounts/sessions/{mine.pk}/end/"
    assert address in laptop.get("/accounts/sessions/").content.decode()
    assert laptop.get(address).status_code == 405
    assert laptop.post(f"/accounts/sessions/{another.pk}/end/").status_code == 404
    assert laptop.post(address).status_code == 302
    assert there.farewell[1] == 4401 and there.is_rung and not phone.is_signed_in
    assert here.farewell == elsewhere.farewell == (None, None)
    assert laptop.is_signed_in and tablet.is_signed_in and hers.is_signed_in


def test_signing_out_everywhere_is_signing_out_the_others_and_oneself(bob):
    laptop, phone = Browser(bob), Browser(bob)
    bob.end_sessions()
    assert not laptop.is_signed_in and not phone.is_signed_in
    assert not any(SESSION_KEY in session.get_decoded() for session in Session.objects.all())


@pytest.mark.parametrize("address", ["/accounts/email/", "/accounts/2fa/", "/nowhere/", "/accounts/profile/"])
def test_pages_that_others_made_are_live_as_well(bob, address):
    assert f'name="people.person:{bob.pk}:' in Browser(bob).get(address).content.decode()


def test_a_farewell_tells_the_true_reason(bob, carol):
    """Each way in which a session ends; the page keeps what is typed, and may go on once its person is back."""
    ended = {}
    laptop, phone = Browser(bob), Browser(bob)
    sockets = {"here": laptop.listen(), "list": phone.listen()}
    laptop.post("/accounts/sessions/")
    ended["list"] = sockets["list"].farewell
    laptop.post("/accounts/logout/")
    ended["here"] = sockets["here"].farewell
    late = Browser(bob)
    socket = late.listen()
    Session.objects.filter(session_key=late.key).update(expire_date=timezone.now() - timedelta(seconds=1))
    ended["time"] = socket.farewell
    other = Browser(bob).listen()
    other.viewer = Browser(carol).listen().viewer
    ended["other"] = other.farewell
    sentences = {
        "list": "this session was ended from the list of your sessions",
        "here": "you signed out in this browser",
        "time": "your session has expired",
        "other": "You are signed in as carol now, and this page is bob’s",
    }
    for way, sentence in sentences.items():
        text, code = ended[way]
        assert code == 4401 and sentence in text and "What you wrote is still here" in text, way
        assert ("Go on with this page" in text) == (way != "other")


def test_a_page_goes_on_once_its_person_is_signed_in_again(bob, carol):
    laptop = Browser(bob)
    [own] = cursors(bob)
    laptop.post("/accounts/logout/")
    question = {own.signed: own.tick, "silent": "on", "again": "on", "language": "en"}
    html = laptop.get("/live/", question).content.decode()
    assert 'id="live"' not in html
    laptop.sign_in("carol")
    html = laptop.get("/live/", question).content.decode()
    assert 'id="live"' not in html and "signed in as carol now" in html
    laptop.post("/accounts/logout/")
    laptop.sign_in("bob")
    html = laptop.get("/live/", question).content.decode()
    assert 'id="live"' in html and 'hx-target="#notice"' in html and "signed" not in html.replace("signed=", "")

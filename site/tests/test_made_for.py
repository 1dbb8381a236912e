"""A form says for whom it was made: what Bob's old page sends after Carol signed in is refused, his text kept."""

import re
from pathlib import Path

import pytest
from django.test import Client

from people.models import Person
from people.tests.conftest import bob, carol, fast_passwords, person, root  # noqa: F401
from posts.models import Post
from rooms.models import Room

ROOT = Path(__file__).resolve().parent.parent.parent
WITHOUT_TOKEN = {"base.html", "announcement.html", "unsubscribe.html"}  # they carry no text, and no authority


@pytest.fixture
def post(root):  # noqa: F811
    post = Post(author=root, title="A day at the sea", body="The tide is out.")
    post.publish()
    return post


@pytest.fixture
def lobby(root):  # noqa: F811
    room = Room(name="The lobby", created_by=root)
    room.revise()
    return room


def client(user, **options):
    browser = Client(**options)
    browser.force_login(user)
    return browser


def forms(html):
    return [form for form in re.findall(r"<form.*?</form>", html, re.DOTALL) if "csrfmiddlewaretoken" in form]


def test_every_form_with_a_token_says_for_whom_it_was_made(root, bob, carol, post, lobby):  # noqa: F811
    said, line = post.comment(root, "The first word"), lobby.say(root, "Hello")
    browser, count = client(root), 0
    addresses = [
        f"/posts/{post.slug}/",
        "/rooms/the-lobby/",
        "/messages/bob/",
        "/accounts/profile/",
        "/accounts/email/",
    ]
    addresses += [f"/comments/{said.pk}/{verb}/" for verb in ("edit", "delete", "reply", "menu")]
    addresses += [
        f"/rooms/messages/{line.pk}/edit/",
        "/people/bob/",
        "/accounts/password/change/",
        "/accounts/sessions/",
    ]
    addresses += [f"/admin/posts/post/{post.pk}/change/", "/admin/rooms/room/add/", "/admin/posts/comment/"]
    for address in addresses:
        answer = browser.get(address)
        for form in forms(answer.content.decode()):
            count += 1
            assert f'name="made_for" value="{root.pk}"' in form, (address, form)
    assert count > len(addresses)


def test_the_next_form_of_an_answer_says_so_as_well(bob, carol):  # noqa: F811
    answer = client(bob).post("/people/carol/follow/", {"on": "1"}, headers={"HX-Request": "true"})
    [form] = forms(answer.content.decode())
    assert f'name="made_for" value="{bob.pk}"' in form


def test_forms_without_a_token_are_known():
    for file in (ROOT / "templates").rglob("*.html"):
        for form in re.findall(r'<form[^<]*?method="post".*?</form>', file.read_text(), re.DOTALL):
            assert "csrf_token" in form or file.name in WITHOUT_TOKEN, file


def test_a_page_of_nobodys_says_nothing(db, post):
    assert "made_for" not in Client().get("/accounts/login/").content.decode()


@pytest.mark.parametrize("checked", [False, True], ids=["the token holds", "the token is old"])
def test_what_bobs_page_sends_is_not_carols(bob, carol, root, post, lobby, checked):  # noqa: F811
    """Without JavaScript: whatever the token is worth, nothing is done, and the text stands on the page."""
    hers, line = post.comment(carol, "A word of Carol's"), lobby.say(carol, "A line of Carol's")
    browser = client(carol, enforce_csrf_checks=checked)
    for address, name in {
        f"/posts/{post.slug}/comments/": "body",
        f"/comments/{hers.pk}/edit/": "body",
        f"/comments/{hers.pk}/report/": "reason",
        f"/rooms/{lobby.pk}/messages/": "body",
        f"/rooms/messages/{line.pk}/edit/": "body",
        "/messages/root/": "body",
        "/accounts/profile/": "bio",
        "/messages/": "people",
        "/accounts/email/": "email",
    }.items():
        answer = browser.post(address, {name: "What Bob <b>typed</b>", "made_for": bob.pk, "password": "hidden"})
        html = answer.content.decode()
        assert answer.status_code == 409 and "signed in as carol now" in html, address
        assert "What Bob &lt;b&gt;typed&lt;/b&gt;</textarea>" in html and "hidden</textarea>" not in html
    assert post.comments.count() == lobby.messages.count() == 1
    hers.refresh_from_db()
    assert hers.body == "A word of Carol's" and Person.objects.get(pk=carol.pk).bio == ""


def test_the_admin_of_another_is_refused_as_well(bob, root, post):  # noqa: F811
    answer = client(root).post(f"/admin/posts/post/{post.pk}/change/", {"title": "Bob's title", "made_for": bob.pk})
    assert answer.status_code == 409 and "Bob&#x27;s title" in answer.content.decode()


def test_ones_own_form_is_taken(bob, post):  # noqa: F811
    answer = client(bob).post(f"/posts/{post.slug}/comments/", {"body": "Mine", "made_for": bob.pk})
    assert answer.status_code == 302 and post.comments.get().body == "Mine"


def test_who_is_signed_out_keeps_the_text_of_a_plain_form(bob, post):  # noqa: F811
    said = post.comment(bob, "The first word")
    for address, name in {f"/comments/{said.pk}/edit/": "body", "/accounts/profile/": "bio"}.items():
        answer = Client().post(address, {name: "What I typed"})
        assert answer.status_code == 403 and "What I typed</textarea>" in answer.content.decode()
        assert "You are signed out" in answer.content.decode()


def test_what_was_written_to_something_that_is_gone_stands_on_the_page(bob):  # noqa: F811
    answer = client(bob).post("/posts/never-was/comments/", {"body": "What I typed"})
    assert answer.status_code == 404 and "What I typed</textarea>" in answer.content.decode()

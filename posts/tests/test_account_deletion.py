"""Somebody takes their things along, and leaves."""

import io
import json
import zipfile

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.management import call_command

from inbox.models import Mute
from live.deltas import delta
from live.streams import find, name_of
from people.models import Person
from people.rules import Refused
from people.tests.browsers import Browser
from people.tests.conftest import PASSWORD
from posts.models import Comment, LiveUpdate, Post


@pytest.fixture(autouse=True)
def fast_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def bob(person):
    return person("bob", password=PASSWORD, display_name="Robert Marker")


def delete_account(browser, comments, password=PASSWORD):
    page = browser.get("/accounts/delete/")
    assert page.url.startswith("/accounts/reauthenticate/")
    again = browser.post(page.url, {"password": password})
    if again.status_code != 302:
        return again
    return browser.post(again.url, {"comments": comments})


def everything():
    """The whole database as text (str)."""
    out = io.StringIO()
    call_command("dumpdata", stdout=out, exclude=["sessions"])
    return out.getvalue() + json.dumps([session.get_decoded() for session in Session.objects.all()])


def test_comments_may_stay_under_deleted_person(post, bob, carol):
    said = post.comment(bob, "I was here")
    post.comment(carol, "So was I", said)
    browser, phone = Browser(bob), Browser(bob)
    LogEntry.objects.create(
        user=carol, content_type=ContentType.objects.get_for_model(Person), object_id=bob.pk, object_repr="bob",
        action_flag=CHANGE,
    )  # fmt: skip
    bob.emailaddress_set.create(email=bob.email)
    socket = phone.listen()
    assert "bob" in everything() and "Marker" in everything()

    answer = delete_account(browser, "stay")
    assert answer.url == "/"
    assert "Your account is closed" in browser.get("/").content.decode()
    text, code = socket.farewell
    assert code == 4401 and "This account is closed" in text and socket.is_rung
    assert not browser.is_signed_in and not phone.is_signed_in
    assert "bob" not in everything() and "Marker" not in everything()

    page = Browser().get(f"/posts/{post.slug}/").content.decode()
    assert "I was here" in page and "So was I" in page and "deleted person" in page and "/people/deleted" not in page
    chinese = Browser(headers={"Accept-Language": "zh-hans"}).get(f"/posts/{post.slug}/").content.decode()
    assert "已注销用户" in chinese
    assert Browser().sign_in("bob").status_code == 200
    assert Browser().get("/people/bob/").status_code == 404
    bob.refresh_from_db()
    assert Browser().get(bob.get_absolute_url()).status_code == 404
    Person.objects.create_user("bob")  # the name is free


def test_comments_may_go_and_open_pages_follow(post, bob, carol):
    answered, alone = post.comment(bob, "The first secret"), post.comment(bob, "The second secret")
    answered.revise(bob, "The third secret")
    post.comment(carol, "So was I", answered)
    taken = post.comment(bob, "The fourth secret")
    taken.remove(bob)
    page = find(name_of(post))
    since = delta(page, 0)[1]
    delete_account(Browser(bob), "go")

    told, _ = delta(page, since)
    assert "Deleted by its author." in told and f"#comment-{alone.pk}" in told
    assert "secret" not in everything() and "Marker" not in everything()
    post.refresh_from_db()
    assert post.comment_count == 1
    shown = Browser().get(f"/posts/{post.slug}/").content.decode()
    assert "So was I" in shown and "secret" not in shown
    assert set(Comment.objects.filter(author=bob).values_list("state", flat=True)) == {"tombstone", "removed"}


def test_it_asks_for_the_password_and_for_what_becomes_of_the_comments(bob):
    browser = Browser(bob)
    wrong = delete_account(browser, "stay", "wrong")
    assert wrong.status_code == 200 and 'role="alert"' in wrong.content.decode()
    unsaid = delete_account(browser, "")
    assert unsaid.status_code == 422 and 'role="alert"' in unsaid.content.decode()
    assert browser.is_signed_in


def test_posts_stay_and_drafts_go(post, alice, bob):
    Post(author=alice, title="A secret draft").revise()
    hidden = Post(author=alice, title="Withdrawn")
    hidden.publish()
    hidden.unpublish()
    alice.delete_account(comments_stay=False)
    assert set(alice.posts.values_list("title", flat=True)) == {post.title, "Withdrawn"}
    for address in ("/", f"/posts/{post.slug}/"):
        page = Browser().get(address).content.decode()
        assert "deleted person" in page and "alice" not in page


def test_the_last_superuser_cannot_delete_their_account(person):
    root = person("root", password=PASSWORD, is_superuser=True)
    with pytest.raises(Refused):
        root.delete_account(comments_stay=True)
    answer = delete_account(Browser(root), "stay")
    assert answer.status_code == 422 and "Nobody else could administer" in answer.content.decode()
    person("vice", is_superuser=True)
    root.delete_account(comments_stay=True)
    root.refresh_from_db()
    assert not root.is_superuser and not root.is_active


# Export


def exported(browser):
    """The files of the zip: dict of name to text."""
    asked = browser.get("/accounts/export/")
    answer = browser.post(asked.url, {"password": PASSWORD}, follow=True)
    assert answer["Content-Type"] == "application/zip" and "parley-bob-" in answer["Content-Disposition"]
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert archive.testzip() is None
    return {name: archive.read(name).decode() for name in archive.namelist()}


def test_an_export_holds_all_that_is_bobs_and_nothing_of_others(post, bob, carol):
    hers = post.comment(carol, "Carol's words")
    post.comment(bob, "Bob's *words*\n\nand 中文", hers)
    bob.bio = "A sailor"
    bob.save()
    draft = Post(author=bob, title="Bob's draft", body="Unseen")
    draft.revise()
    files = exported(Browser(bob))
    assert set(files) >= {
        f"{name}.{kind}" for name in ("profile", "sessions", "comments", "posts") for kind in ("json", "md")
    }
    [profile] = json.loads(files["profile.json"])
    assert (profile["username"], profile["e-mail"], profile["text"]) == ("bob", "bob@example.org", "A sailor")
    [comment] = json.loads(files["comments.json"])
    assert comment["text"] == "Bob's *words*\n\nand 中文" and comment["on"] == post.title
    assert "Bob's *words*\n\nand 中文" in files["comments.md"] and "A day at the sea" in files["comments.md"]
    assert json.loads(files["posts.json"])[0]["text"] == "Unseen"
    [session] = json.loads(files["sessions.json"])
    assert session["address"] == "127.0.0.1"
    assert not any("Carol" in text or "carol" in text for text in files.values())
    assert not any(word in text for text in files.values() for word in (bob.password, "pbkdf2", "md5$"))


def test_an_export_does_not_tell_what_became_of_the_rest(post, bob):
    """A post that was withdrawn is not the commenter's to see."""
    post.comment(bob, "I was here")
    LiveUpdate(post=post, author=bob, body="It begins.").revise()
    Mute.make(bob, post)
    post.title = "A secret title"
    post.unpublish()
    files = exported(Browser(bob))
    assert not any("secret title" in text for text in files.values())
    assert json.loads(files["comments.json"])[0]["text"] == "I was here"
    assert json.loads(files["posts.json"])[0]["text"] == "It begins."


def test_an_export_of_nothing_is_readable(bob):
    assert json.loads(exported(Browser(bob))["comments.json"]) == []

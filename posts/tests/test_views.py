"""The site over HTTP: with and without htmx, for those who may and those who may not."""

import re
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import get_resolver

from live.cursors import cursors
from posts.models import Comment, Post

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/posts/a-day-at-the-sea/"}


@pytest.fixture
def as_bob(client, bob):
    client.force_login(bob)
    return client


def say(client, post, body, headers=None, **fields):
    return client.post(f"/posts/{post.slug}/comments/", {"body": body, "key": uuid4(), **fields}, headers=headers)


def test_an_anonymous_page_is_the_same_bytes_for_everybody(post, bob, client):
    post.comment(bob, "hello")
    for address in ("/", post.get_absolute_url(), f"/people/{post.author.username}/"):
        first, second = client.get(address), Client().get(address)
        assert first.content == second.content
        assert not first.cookies and not second.cookies


def test_without_javascript_a_comment_is_posted_and_the_page_leads_to_it(post, as_bob):
    answer = say(as_bob, post, "hello")
    said = Comment.objects.get()
    assert answer.status_code == 302 and answer.url == f"{post.get_absolute_url()}#comment-{said.pk}"
    page = as_bob.get(answer.url).content.decode()
    assert f'id="comment-{said.pk}"' in page and '<span id="comment-count" class="count">1</span>' in page


def test_replying_editing_and_deleting_work_without_javascript(post, as_bob, carol):
    said = post.comment(carol, "hello")
    page = as_bob.get(f"/comments/{said.pk}/reply/").content.decode()
    assert f'name="parent" value="{said.pk}"' in page and "hello" in page
    say(as_bob, post, "hi", parent=said.pk)
    mine = said.answers.get()
    assert 'name="body"' in as_bob.get(f"/comments/{mine.pk}/edit/").content.decode()
    assert as_bob.post(f"/comments/{mine.pk}/edit/", {"body": "hi there"}).status_code == 302
    assert "Delete this comment for good?" in as_bob.get(f"/comments/{mine.pk}/delete/").content.decode()
    assert as_bob.post(f"/comments/{mine.pk}/delete/").status_code == 302
    assert list(said.revisions.all()) == [] and not said.answers.visible().exists()


def test_htmx_gets_an_empty_form_and_what_the_page_misses(post, as_bob, carol):
    [before] = cursors(post)
    post.comment(carol, "meanwhile")
    answer = say(as_bob, post, "hello", HTMX, **{before.signed: before.tick})
    html = answer.content.decode()
    assert re.search(r"<textarea[^>]*>\s*</textarea>", html)
    assert "meanwhile" in html and "hello" in html
    [now] = cursors(post)
    assert f'value="{now.tick}"' in html


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(
    "body, said",
    [
        ("", "Write something first."),
        ("   ", "Write something first."),
        ("x" * 4001, "Comments can have at most 4000 characters (yours has 4001)."),
        ("NUL \0 here", "Null characters are not allowed."),
    ],
)
def test_bad_input_is_refused_beside_the_form_with_the_text_kept(post, as_bob, headers, body, said):
    answer = say(as_bob, post, body, headers)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert said in html and 'role="alert"' in html
    assert body in html
    assert not Comment.objects.exists()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_the_draft_survives_the_removal_of_what_it_answers(post, as_bob, carol, headers):
    said = post.comment(carol, "hello")
    said.remove(carol)
    answer = say(as_bob, post, "my long answer", headers, parent=said.pk)
    assert answer.status_code == 422
    assert "That comment was removed while you were writing." in answer.content.decode()
    assert "my long answer" in answer.content.decode()


@pytest.mark.parametrize("parent", ["999999", "-1", "x", "1" * 40, ""])
def test_a_wrong_parent_is_no_accident(post, as_bob, alice, parent):
    answer = say(as_bob, post, "my answer", HTMX, parent=parent)
    assert answer.status_code == (200 if parent == "" else 422)
    assert not Comment.objects.exclude(parent=None).exists()


def test_a_parent_on_another_post_is_refused(post, as_bob, alice):
    other = Post(author=alice, title="Other", status="published")
    other.revise()
    said = other.comment(alice, "elsewhere")
    assert say(as_bob, post, "my answer", HTMX, parent=said.pk).status_code == 422
    assert not post.comments.exists()


def test_closed_comments_are_refused_with_403_and_the_text_kept(post, as_bob):
    post.close_comments()
    answer = say(as_bob, post, "too late", HTMX)
    assert answer.status_code == 422
    assert "Comments are closed." in answer.content.decode() and "too late" in answer.content.decode()


def test_a_comment_sent_twice_is_kept_once(post, as_bob):
    key = uuid4()
    for _ in range(5):
        assert say(as_bob, post, "hello", key=key).status_code == 302
    assert Comment.objects.count() == 1


def test_who_signed_out_meanwhile_keeps_the_text(post, client):
    answer = say(client, post, "my words", HTMX)
    assert answer.status_code == 422
    assert "my words" in answer.content.decode() and "You are signed out" in answer.content.decode()


def test_strangers_are_led_to_the_sign_in(post, bob, client):
    said = post.comment(bob, "hello")
    assert client.get(f"/comments/{said.pk}/reply/").url.startswith("/accounts/login/?next=")
    assert "HX-Redirect" in client.get(f"/comments/{said.pk}/reply/", headers=HTMX).headers


def test_another_persons_comment_is_as_missing_as_none(post, as_bob, carol):
    said = post.comment(carol, "hello")
    for address in (f"/comments/{said.pk}/edit/", f"/comments/{said.pk}/delete/"):
        assert as_bob.get(address).status_code == 404
        assert as_bob.post(address, {"body": "mine now"}).status_code == 404
    said.refresh_from_db()
    assert (said.body, said.state) == ("hello", "shown")


@pytest.mark.parametrize("status", ["draft", "scheduled", "unpublished"])
def test_what_is_not_public_is_as_missing_as_what_never_was(post, as_bob, status):
    said = post.comment(post.author, "hello")
    Post.objects.update(status=status, published_at="2099-01-01T00:00Z")
    for address in (post.get_absolute_url(), f"/comments/{said.pk}/", f"/comments/{said.pk}/reply/"):
        assert as_bob.get(address).status_code == 404
    assert say(as_bob, post, "hello").status_code == 404
    assert post.title.encode() not in as_bob.get("/").content


def test_a_form_without_a_token_is_refused_and_keeps_the_text(post, bob):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(bob)
    answer = say(strict, post, "my words", HTMX)
    assert answer.status_code == 422 and "my words" in answer.content.decode()
    assert strict.post("/accounts/logout/").status_code == 403
    assert not Comment.objects.exists()


@pytest.fixture
def locked(post):
    post.password = "open sesame"
    post.revise()
    return post


@pytest.mark.parametrize("token", [True, False])
def test_a_locked_post_tells_nothing_by_any_way_and_what_was_typed_is_kept(locked, bob, carol, token):
    said = locked.comment(carol, "the marker")
    browser = Client(enforce_csrf_checks=not token)
    browser.force_login(bob)
    comment = f"/comments/{said.pk}"
    for address in (f"/posts/{locked.slug}/comments/", f"{comment}/report/"):
        for headers in ({}, HTMX):
            typed = {"body": "what I typed", "reason": "what I typed", "parent": said.pk, "key": uuid4()}
            answer = browser.post(address, typed, headers=headers)
            html = answer.content.decode()
            assert answer.status_code == 403 and "This post asks for a password." in html
            assert "the marker" not in html and "tide" not in html
            assert answer.get("HX-Reswap") == "none" if headers else "what I typed" in html or "report" in address
    for address in ("/", "/reply/", "/replies/", "/report/"):
        for headers in ({}, HTMX):
            answer = browser.get(comment + address, headers=headers)
            assert answer.status_code == (403 if headers else 200)
            assert "This post asks for a password." in answer.content.decode()
            assert "the marker" not in answer.content.decode()
    assert locked.comments.count() == 1 and not said.reports.exists()
    browser = Client()
    browser.force_login(bob)
    browser.post(f"/posts/{locked.slug}/unlock/", {"password": "open sesame"})
    assert "the marker" in browser.get(f"{comment}/reply/").content.decode()
    assert say(browser, locked, "hello", HTMX, parent=said.pk).status_code == 200


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("token", [True, False])
@pytest.mark.parametrize("state", ["waiting", "rejected", "removed", "elsewhere"])
def test_a_reply_to_a_hidden_comment_shows_nothing_of_it(post, alice, bob, carol, headers, token, state):
    where = post
    if state == "elsewhere":
        where = Post(author=alice, title="The marker", body="the marker", password="x", status="published")
        where.revise()
    hidden = where.comment(carol, "the marker")
    if state != "elsewhere":
        Comment.objects.filter(pk=hidden.pk).update(state=state, reason="the marker")
    browser = Client(enforce_csrf_checks=not token)
    browser.force_login(bob)
    answer = say(browser, post, "what I typed", headers, parent=hidden.pk)
    html = answer.content.decode()
    assert answer.status_code == (422 if token or headers else 403)
    assert "what I typed" in html and 'role="alert"' in html
    assert "marker" not in html and "carol" not in html.replace("/carol/", "") if headers else "the marker" not in html


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_old_form_keeps_the_text_of_an_edit_of_a_report_and_of_a_decision(post, bob, carol, mallory, headers):
    mine, theirs = post.comment(bob, "hello"), post.comment(carol, "the other")
    strict = {person: Client(enforce_csrf_checks=True) for person in (bob, mallory)}
    for person, browser in strict.items():
        browser.force_login(person)
    typed = {"body": "what I typed", "reason": "what I typed"}
    for person, address in (
        (bob, f"/comments/{mine.pk}/edit/"),
        (bob, f"/comments/{theirs.pk}/report/"),
        (mallory, f"/comments/{theirs.pk}/remove/"),
        (mallory, f"/comments/{theirs.pk}/ban/"),
    ):
        answer = strict[person].post(address, typed, headers=headers)
        html = answer.content.decode()
        assert answer.status_code == (422 if headers else 403), address
        assert "open for too long" in html and "what I typed" in html, address
    again = re.search(r'csrfmiddlewaretoken" value="(\w+)"', html)[1]
    assert [comment.body for comment in Comment.objects.order_by("pk")] == ["hello", "the other"]
    assert not theirs.reports.exists() and not theirs.actions.exists()
    answer = strict[mallory].post(address, typed | {"csrfmiddlewaretoken": again}, headers=headers)
    assert theirs.actions.filter(kind="banned").exists() and answer.status_code in (200, 302)


def test_reading_does_not_change_and_changing_is_not_reading(post, as_bob, carol):
    said = post.comment(carol, "hello")
    assert as_bob.get(f"/posts/{post.slug}/unlock/").status_code == 405
    assert as_bob.put(f"/posts/{post.slug}/comments/").status_code == 405
    assert as_bob.post(post.get_absolute_url()).status_code == 405
    assert as_bob.post(f"/comments/{said.pk}/reply/").status_code == 405


def test_extra_fields_are_ignored(post, as_bob, alice):
    say(as_bob, post, "hello", author=alice.pk, state="tombstone", created_at="1999-01-01", born=99)
    said = Comment.objects.get()
    assert (said.author.username, said.state, said.created_at.year > 2000) == ("bob", "shown", True)


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=99999999999999999999", "before=x", "before=" + "9" * 50])
def test_odd_queries_are_borne(post, client, query):
    assert client.get(f"/?{query}").status_code == 200
    assert client.get(f"{post.get_absolute_url()}?{query}").status_code == 200


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"body=%ff%fe%ed%a0%80", b"body=%00", b"&&&===", b"body[]=1&body=" + b"[" * 9000]
)
def test_odd_bodies_are_borne(post, as_bob, body):
    answer = as_bob.post(f"/posts/{post.slug}/comments/", body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (302, 400, 422)


def test_every_page_stands_in_chinese_and_in_english(post, bob, client):
    for language, word in (("en", "Comments"), ("zh-hans", "评论")):
        assert word in client.get(post.get_absolute_url(), headers={"Accept-Language": language}).content.decode()


def test_the_language_can_be_chosen_and_stays(post, client):
    client.post("/language/", {"language": "zh-hans", "next": "/"})
    assert '<html lang="zh-hans">' in client.get("/").content.decode()
    assert client.post("/language/", {"language": "en", "next": "https://evil.example/"}).url == "/"


def test_covered_posts_say_so_to_machines(post, alice, client):
    post.coverage = "live"
    post.title = "</script><script>alert(1)</script>"
    post.revise()
    html = client.get(post.get_absolute_url()).content.decode()
    assert '"@type": "LiveBlogPosting"' in html
    assert "<script>alert" not in html


def test_pages_forbid_scripts_of_others(post, client):
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "unsafe" not in policy and "default-src 'self'" in policy


def test_every_address_of_ours_is_tried_above():
    """A new route must be thought of here."""
    ours = {pattern.name for pattern in get_resolver("posts.urls").url_patterns}
    assert ours == {
        *("front", "post", "unlock", "mute", "comments", "tag", "person"),
        *("comment", "reply", "replies", "edit-comment", "delete-comment"),
        # test_moderation.py:
        *("report-comment", "comment-menu"),
        *(f"{verb}-comment" for verb in ("approve", "reject", "remove", "restore", "keep", "ban")),
    }

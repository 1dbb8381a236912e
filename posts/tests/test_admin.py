"""Editors work in the standard admin; what they do there goes through the verbs."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from live.cursors import cursors
from live.deltas import delta
from live.streams import find, name_of
from people.models import Person
from posts.models import FRONT, Comment, LiveUpdate, Post, SuspectWord
from posts.tests.conftest import wait


@pytest.fixture
def as_alice(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def as_editor(client, person):
    client.force_login(person("eve", "Editors"))
    return client


def fields(**changed):
    plain = {"title": "New", "body": "text", "status": "draft", "language": "en", "format": "markdown"}
    inline = {"updates-TOTAL_FORMS": 0, "updates-INITIAL_FORMS": 0}
    return plain | inline | {"summary": "", "slug": "", "coverage": "", "comments_open": "on"} | changed


def save(client, post=None, **changed):
    address = f"/admin/posts/post/{post.pk}/change/" if post else "/admin/posts/post/add/"
    answer = client.post(address, fields(**changed))
    assert answer.status_code == 302, answer.context["errors"]


def act(client, action, *posts):
    return client.post("/admin/posts/post/", {"action": action, "_selected_action": [post.pk for post in posts]})


def test_an_author_writes_and_publishes_and_the_front_page_hears_of_it(as_alice, alice):
    [before] = cursors(FRONT)
    save(as_alice, title="Fresh", status="published")
    post = Post.objects.get()
    assert (post.author, post.slug, post.is_public) == (alice, "fresh", True)
    assert cursors(FRONT)[0].tick == before.tick + 1


def test_an_author_sees_and_changes_their_own_posts_only(as_alice, person):
    theirs = Post(author=person("dan", "Authors"), title="Not hers")
    theirs.revise()
    assert "Not hers" not in as_alice.get("/admin/posts/post/").content.decode()
    assert as_alice.get(f"/admin/posts/post/{theirs.pk}/change/").status_code == 302
    act(as_alice, "publish", theirs)
    theirs.refresh_from_db()
    assert theirs.status == "draft"


def test_an_author_cannot_write_in_anothers_name(as_alice, alice, bob):
    save(as_alice, author=bob.pk)
    assert Post.objects.get().author == alice


def test_an_editor_changes_all(as_editor, post):
    save(as_editor, post, title="Better", author=post.author_id, status="published", slug=post.slug)
    post.refresh_from_db()
    assert post.title == "Better"


def test_readers_have_no_business_in_the_admin(client, bob, post):
    client.force_login(bob)
    assert client.get("/admin/posts/post/").status_code in (302, 403)


def test_bulk_actions_are_live(as_editor, post):
    [front], [own] = cursors(FRONT), cursors(post)
    act(as_editor, "unpublish", post)
    post.refresh_from_db()
    assert post.status == "unpublished"
    assert (cursors(FRONT)[0].tick, cursors(post)[0].tick) == (front.tick + 1, own.tick + 1)
    act(as_editor, "publish", post)
    act(as_editor, "close_comments", post)
    post.refresh_from_db()
    assert post.is_public and not post.comments_open


def test_what_was_public_cannot_be_deleted_but_a_draft_can(as_editor, post, alice):
    draft = Post(author=alice, title="Draft")
    draft.revise()
    assert as_editor.post(f"/admin/posts/post/{post.pk}/delete/", {"post": "yes"}).status_code == 403
    assert as_editor.post(f"/admin/posts/post/{draft.pk}/delete/", {"post": "yes"}).status_code in (302, 403)
    assert Post.objects.filter(pk=post.pk).exists()


def test_live_updates_are_added_edited_and_withdrawn_inline(as_editor, post):
    now = timezone.now()
    line = {"updates-0-at_0": now.date(), "updates-0-at_1": now.strftime("%H:%M:%S"), "updates-0-body": "It **begins**"}
    base = {"title": post.title, "author": post.author_id, "status": "published", "slug": post.slug, "coverage": "live"}
    save(as_editor, post, **base, **line, **{"updates-TOTAL_FORMS": 1})
    update = LiveUpdate.objects.get()
    assert update.html == "<p>It <strong>begins</strong></p>\n" and update.author.username == "eve"
    line |= {"updates-0-id": update.pk, "updates-0-post": post.pk, "updates-TOTAL_FORMS": 1, "updates-INITIAL_FORMS": 1}
    save(as_editor, post, **base, **line | {"updates-0-pinned": "on", "updates-0-body": "It began"})
    update.refresh_from_db()
    assert update.pinned and update.edited and "began" in update.html
    save(as_editor, post, **base, **line | {"updates-0-DELETE": "on"})
    update.refresh_from_db()
    assert update.withdrawn and update.changed == cursors(post)[0].tick


def test_a_scheduled_post_needs_its_time(as_editor, alice):
    answer = as_editor.post("/admin/posts/post/add/", fields(status="scheduled", author=alice.pk))
    assert "Say when the post shall appear." in answer.content.decode()
    later = timezone.now() + timedelta(days=1)
    when = {"published_at_0": later.date(), "published_at_1": "12:00"}
    save(as_editor, status="scheduled", author=alice.pk, **when)
    assert not Post.objects.get().is_public


def test_markdown_is_previewed_for_those_who_write(as_alice, bob):
    answer = as_alice.post("/admin/posts/post/preview/", {"body": "**bold** <script>"})
    assert "<strong>bold</strong>" in answer.content.decode() and "<script>" not in answer.content.decode()
    as_alice.force_login(bob)
    assert as_alice.post("/admin/posts/post/preview/", {"body": "x"}).status_code in (302, 403)


def test_a_moderator_removes_with_a_reason(client, mallory, bob, post):
    said = post.comment(bob, "buy now")
    client.force_login(mallory)
    chosen = {"action": "remove", "_selected_action": [said.pk]}
    page = client.post("/admin/posts/comment/", chosen).content.decode()
    assert "buy now" in page and 'name="reason"' in page and f'name="_selected_action" value="{said.pk}"' in page
    assert "Say why." in client.post("/admin/posts/comment/", chosen | {"reason": " "}).content.decode()
    client.post("/admin/posts/comment/", chosen | {"reason": "advertising"})
    said.refresh_from_db()
    assert (said.state, said.reason, said.removed_by) == ("removed", "advertising", mallory)


@pytest.fixture
def as_mallory(client, mallory):
    client.force_login(mallory)
    return client


def decide(client, action, *comments, **said):
    chosen = {"action": action, "_selected_action": [comment.pk for comment in comments]}
    return client.post("/admin/posts/comment/", chosen | said, follow=True).content.decode()


def states(*comments):
    return [Comment.objects.get(pk=comment.pk).state for comment in comments]


def test_a_queue_is_worked_off_in_bulk_and_open_pages_follow(as_mallory, bob, carol, post):
    one, two, three = (wait(post, author, text) for author, text in ((bob, "one"), (carol, "two"), (bob, "three")))
    [before] = cursors(post)
    queue = as_mallory.get("/admin/posts/comment/?queue=waiting").content.decode()
    assert all(text in queue for text in ("one", "two", "three", "waits: its author is new"))
    assert '<b id="queue-waiting">3</b>' in as_mallory.get("/admin/").content.decode()
    assert "2 comments seen to." in decide(as_mallory, "approve", one, two)
    assert "1 comment seen to." in decide(as_mallory, "reject", three, reason="off topic")
    assert states(one, two, three) == ["shown", "shown", "rejected"]
    text, _ = delta(find(name_of(post)), before.tick)
    assert "one" in text and "two" in text and "three" not in text
    assert '<b id="queue-waiting">0</b>' in as_mallory.get("/admin/").content.decode()


def test_what_stands_against_it_is_said_and_the_rest_is_done(as_mallory, bob, carol, post):
    removed, deleted = post.comment(bob, "removed"), post.comment(carol, "deleted")
    removed.remove(Person.objects.get(username="mallory"), "why not")
    deleted.remove(carol)
    page = decide(as_mallory, "restore", removed, deleted)
    assert "Its author deleted this comment. (1)" in page and "1 comment seen to." in page
    assert states(removed, deleted) == ["shown", "removed"]


def test_reports_are_a_queue(as_mallory, bob, carol, alice, post):
    spam, fine = post.comment(bob, "spam"), post.comment(bob, "fine")
    for said in (spam, fine):
        said.report(carol, f"I do not like <b>{said}</b>")
    spam.report(alice, "advertising")
    page = as_mallory.get("/admin/posts/report/").content.decode()
    assert "advertising" in page and "I do not like &lt;b&gt;fine" in page
    assert '<b id="queue-reported">2</b>' in page
    chosen = {"_selected_action": [spam.reports.first().pk]}
    as_mallory.post("/admin/posts/report/", chosen | {"action": "remove", "reason": "advertising"})
    as_mallory.post("/admin/posts/report/", {"_selected_action": [fine.reports.get().pk], "action": "keep"})
    assert states(spam, fine) == ["removed", "shown"]
    page = as_mallory.get("/admin/posts/report/").content.decode()
    assert "advertising" not in page and '<b id="queue-reported">0</b>' in page
    assert "advertising" in as_mallory.get("/admin/posts/report/?settled=yes").content.decode()


def test_authors_are_banned_and_purged_from_the_list(as_mallory, bob, carol, post):
    said = [post.comment(bob, f"spam {n}") for n in range(3)]
    other = post.comment(carol, "hello")
    assert "purge" in decide(as_mallory, "ban", said[0])
    decide(as_mallory, "ban", said[0], reason="spam", purge="on")
    bob.refresh_from_db()
    assert not bob.is_active and states(*said, other) == ["removed"] * 3 + ["shown"]


def test_a_comments_history_stands_beside_it(as_mallory, bob, carol, mallory, post):
    said = post.comment(bob, "first words")
    said.revise(bob, "second words")
    said.report(carol, "they were better before")
    said.remove(mallory, "both were bad")
    page = as_mallory.get(f"/admin/posts/comment/{said.pk}/change/").content.decode()
    assert all(text in page for text in ("first words", "they were better before", "both were bad", "mallory"))


def test_only_moderators_see_the_queue_and_the_reports(as_editor, bob, carol, post):
    said = post.comment(bob, "hello")
    said.report(carol, "a secret accusation")
    assert "queue-waiting" not in as_editor.get("/admin/").content.decode()
    page = as_editor.get(f"/admin/posts/comment/{said.pk}/change/").content.decode()
    assert "hello" in page and "accusation" not in page
    assert as_editor.get("/admin/posts/report/").status_code == 403
    decide(as_editor, "remove", said, reason="because I can")
    assert states(said) == ["shown"]


def test_moderators_keep_the_list_of_suspect_words(as_mallory):
    assert as_mallory.post("/admin/posts/suspectword/add/", {"word": "casino"}).status_code == 302
    assert SuspectWord.objects.get().word == "casino"


def picture(format="JPEG", size=(3000, 20), **options):
    file = BytesIO()
    Image.new("RGB", size, "navy").save(file, format, **options)
    return SimpleUploadedFile("../../me.jpg", file.getvalue())


def test_covers_are_drawn_anew(as_alice, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    save(as_alice, cover=picture(exif=exif))
    kept = Post.objects.get().cover
    assert kept.name.endswith(".webp") and "me" not in kept.name
    assert b"where I live" not in kept.read()
    with Image.open(kept.path) as image:
        assert image.size[0] == 2000 and not image.getexif()


@pytest.mark.parametrize("content", [b"<svg onload='x'></svg>", b"<html>", b"\x89PNG\r\n\x1a\n broken", b"GIF89a"])
def test_what_is_no_picture_is_refused(as_alice, content):
    answer = as_alice.post("/admin/posts/post/add/", fields(cover=SimpleUploadedFile("a.png", content)))
    assert answer.status_code == 200 and not Post.objects.exists()
    assert "picture" in answer.content.decode() or "image" in answer.content.decode()


def test_a_bomb_of_pixels_is_refused(as_alice):
    answer = as_alice.post("/admin/posts/post/add/", fields(cover=picture("PNG", (9000, 9000))))
    assert answer.status_code == 200 and not Post.objects.exists()


def test_an_article_that_is_too_long_is_refused_and_kept_in_the_form(as_editor, post):
    long = "word " * 40_000 + "the end"
    address = f"/admin/posts/post/{post.pk}/change/"
    page = as_editor.post(address, fields(title=post.title, author=post.author_id, body=long)).content.decode()
    assert "at most 200000 characters (it has 200007)" in page and "word the end</textarea>" in page
    post.refresh_from_db()
    assert post.body == "The **tide** is out."
    preview = as_editor.post("/admin/posts/post/preview/", {"body": long})
    assert preview.status_code == 422 and "at most 200000 characters" in preview.content.decode()

"""Editors work in the standard admin; what they do there goes through the verbs."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from live.cursors import cursors
from posts.models import FRONT, LiveUpdate, Post


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

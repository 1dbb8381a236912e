"""Posts: who sees them when, and what the rest of a post follows from."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from live.cursors import cursors
from posts.models import FRONT, LiveUpdate, Post
from posts.models.post import publish_due


def draft(author, **fields):
    post = Post(author=author, **{"title": "Draft", "body": "text"} | fields)
    post.revise()
    return post


def listed():
    return [str(post) for post in Post.objects.listed()]


def test_a_draft_is_seen_by_its_author_and_the_editors_only(alice, bob, person):
    post = draft(alice)
    assert not listed()
    assert [post.readable_by(one) for one in (alice, person("eve", "Editors"))] == [True, True]
    assert [post.readable_by(one) for one in (bob, person("dan", "Authors"), AnonymousUser())] == [False] * 3


def test_a_scheduled_post_is_there_when_its_time_comes_without_anybody_doing_anything(alice):
    post = draft(alice, status=Post.Status.SCHEDULED, published_at=timezone.now() + timedelta(hours=1))
    assert not listed() and not post.is_public
    Post.objects.update(published_at=timezone.now() - timedelta(seconds=1))
    assert listed() == ["Draft"]


def test_the_pulse_tells_the_front_page_of_a_scheduled_post_once(alice):
    draft(alice, status=Post.Status.SCHEDULED, published_at=timezone.now() + timedelta(hours=1))
    publish_due()
    [before] = cursors(FRONT)
    Post.objects.update(published_at=timezone.now() - timedelta(seconds=1))
    publish_due()
    publish_due()
    [after] = cursors(FRONT)
    assert after.tick == before.tick + 1
    assert Post.objects.get().status == Post.Status.PUBLISHED


def test_a_post_published_for_later_is_scheduled_and_one_scheduled_for_before_is_published(alice):
    later, before = timezone.now() + timedelta(days=1), timezone.now() - timedelta(days=1)
    assert draft(alice, status="published", published_at=later).status == "scheduled"
    assert draft(alice, status="scheduled", published_at=before).status == "published"


def test_editing_marks_a_published_post_as_updated_and_leaves_its_count_alone(post, bob):
    stale = Post.objects.get(pk=post.pk)
    post.comment(bob, "hello")
    stale.body = "The tide is **in**."
    stale.revise()
    post.refresh_from_db()
    assert post.revised_at and "<strong>in</strong>" in post.html
    assert post.comment_count == 1


def test_saving_without_a_change_marks_nothing(post):
    post.revise()
    assert post.revised_at is None


@pytest.mark.parametrize(
    "title, slug",
    [("A day at the sea", "a-day-at-the-sea-2"), ("海边的一天", "海边的一天"), ("", "post"), ("!?", "post")],
)
def test_addresses_follow_from_titles_and_are_free(post, alice, title, slug):
    assert draft(alice, title=title).slug == slug


def test_nothing_of_a_post_with_a_password_shows_before_it_is_given(alice, client):
    post = draft(alice, title="Hidden", body="the secret marker", summary="secret too", password="sesame")
    post.publish()
    for address in ("/", post.get_absolute_url(), f"/people/{alice.username}/"):
        assert b"secret" not in client.get(address).content
    answer = client.post(f"/posts/{post.slug}/unlock/", {"password": "wrong"})
    assert answer.status_code == 422 and b"secret marker" not in answer.content
    client.post(f"/posts/{post.slug}/unlock/", {"password": "sesame"})
    assert b"the secret marker" in client.get(post.get_absolute_url()).content
    assert not post.readable_by(AnonymousUser())  # so its stream is closed to strangers


def test_live_updates_stand_pinned_first_then_newest_first(post, alice):
    now = timezone.now()
    for minutes, pinned in ((3, False), (2, True), (1, False)):
        LiveUpdate(
            post=post, author=alice, body=f"{minutes}", pinned=pinned, at=now - timedelta(minutes=minutes)
        ).revise()
    updates = list(post.updates.visible())
    assert [update.body for update in updates] == ["2", "1", "3"]
    assert [u.data_key for u in updates] == sorted((u.data_key for u in updates), key=int, reverse=True)
    updates[0].withdraw()
    assert [update.body for update in post.updates.visible()] == ["1", "3"]


def test_reading_time_counts_words_and_han_characters(alice):
    assert draft(alice, body="word " * 460).reading_minutes == 2
    assert draft(alice, body="字" * 1200).reading_minutes == 3
    assert draft(alice, body="").reading_minutes == 1

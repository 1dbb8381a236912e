"""Whom a comment or a post concerns, and that they are told in the transaction of its cause, and no more after it."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from inbox.models import FanOut, Follow, Ignore, Mute, Notification
from inbox.models.fan_out import run_fan_outs
from live.cursors import cursors
from live.deltas import delta
from live.streams import find, name_of
from live.ticks import tick
from moderation.models import Action
from posts.models import Comment, Post
from posts.models.post import publish_due

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/posts/a-day-at-the-sea/"}


def told(person):
    """What stands unread in the inbox of ``person``, oldest first."""
    return [row.sentence for row in Notification.objects.unread().filter(person=person).order_by("pk")]


def test_the_authors_of_the_post_and_of_what_is_answered_are_told_once_each(post, alice, bob, carol):
    said = post.comment(bob, "hello")
    assert told(alice) == ["bob commented on your post A day at the sea"]
    post.comment(carol, "hi @alice, and @bob.", said)
    assert told(alice)[1:] == ["carol mentioned you in A day at the sea"]
    assert told(bob) == ["carol mentioned you in A day at the sea"]
    post.comment(carol, "really", said)
    assert told(bob)[1:] == ["carol replied in A day at the sea"]
    assert told(carol) == []


def test_the_same_attempt_made_again_tells_nobody_again(post, alice, bob):
    for _ in range(5):
        post.comment(bob, "hello")
    assert told(alice) == ["bob commented on your post A day at the sea"]
    assert Notification.objects.get().sources.count() == 1


def test_an_edit_tells_the_newly_named_alone(post, alice, bob, carol, mallory):
    said = post.comment(bob, "hello @carol")
    Notification.objects.all().delete()
    said.revise(bob, "hello @carol and @mallory")
    said.revise(bob, "hello @mallory and @carol")
    assert told(mallory) == ["bob mentioned you in A day at the sea"]
    assert told(carol) == told(alice) == []


def test_a_removal_takes_back_what_was_told(post, alice, bob, carol, mallory):
    said = [post.comment(author, "hello") for author in (bob, carol)]
    assert told(alice) == ["bob and carol commented on your post A day at the sea"]
    said[0].remove(mallory, "advertising")
    assert told(alice) == ["carol commented on your post A day at the sea"]
    said[1].remove(carol)
    assert told(alice) == []


def test_what_was_rolled_back_tells_nobody(post, alice, bob):
    before = cursors(alice)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        post.comment(bob, "hello")
        1 / 0  # noqa: B018
    assert told(alice) == [] and cursors(alice) == before


def test_the_post_is_locked_before_the_people_and_all_people_at_once(post, alice, bob, carol, monkeypatch):
    """So no two transactions wait for each other."""
    ticked = []

    def spy(*things):
        ticked.append([name_of(one) for one in things])
        return tick(*things)

    for module in ("live.changes", "inbox.models.notification"):
        monkeypatch.setattr(f"{module}.tick", spy)
    said = post.comment(carol, "hello")
    ticked.clear()
    post.comment(bob, "@mallory hello", said)
    assert ticked == [[name_of(post)], [name_of(alice), name_of(carol)]]


def test_a_draft_is_not_given_away_by_a_mention(post, alice, bob):
    post.unpublish()
    post.comment(alice, "what do you think, @bob?")
    assert told(bob) == []


def test_a_post_that_is_withdrawn_is_named_in_no_inbox(post, alice, bob, carol, client):
    post.comment(carol, "look, @bob")
    post.unpublish()
    assert told(bob) == ["carol mentioned you in something withdrawn"]
    client.force_login(bob)
    assert "A day at the sea" not in client.get("/inbox/").content.decode()


def test_opening_the_thread_reads_it_and_so_does_speaking_there_but_not_a_look_ahead(post, alice, bob, client):
    said = post.comment(bob, "hello")
    client.force_login(alice)
    for early in ({"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}):
        client.get(post.get_absolute_url(), headers=early)
    client.head(post.get_absolute_url())
    assert len(told(alice)) == 1
    page = client.get(post.get_absolute_url()).content.decode()
    assert told(alice) == [] and "<title>A day at the sea" in page
    Notification.objects.get().unread()
    client.get(said.get_absolute_url())
    assert told(alice) == []
    Notification.objects.get().unread()
    assert "<title>(1) Parley</title>" in client.get("/").content.decode()
    client.post(f"/posts/{post.slug}/comments/", {"body": "welcome"})
    assert told(alice) == []


def test_following_muting_and_ignoring_by_a_button(post, alice, bob, carol, client):
    client.force_login(bob)
    page = client.get(post.get_absolute_url()).content.decode()
    assert "Follow alice" in page and "Mute this discussion" in page
    address = f"/posts/{post.slug}/mute/"
    assert "Notify me of this discussion again" in client.post(address, {"on": 1}, headers=HTMX).content.decode()
    assert Mute.made(bob, post).exists()
    post.comment(carol, "@bob")
    assert told(bob) == []
    assert client.post(address, {"on": 0}).url == post.get_absolute_url()
    assert not Mute.made(bob, post).exists()
    assert "Stop ignoring carol" in client.post("/people/carol/ignore/", {"on": 1}, headers=HTMX).content.decode()
    post.comment(carol, "@bob @bob")
    assert told(bob) == [] and Ignore.made(bob, carol).exists()
    assert "Stop following alice" in client.post("/people/alice/follow/", {"on": 1}, headers=HTMX).content.decode()
    client.post("/people/bob/follow/", {"on": 1})
    Mute.make(bob, post)
    listed = client.get("/inbox/").content.decode()
    for action in (address, "/people/alice/follow/", "/people/carol/ignore/"):
        assert f'action="{action}"' in listed
    assert [follow.author for follow in Follow.objects.all()] == [alice]
    post.unpublish()
    assert client.post(address, {"on": 1}).status_code == 404
    assert "A day at the sea" not in client.get("/inbox/").content.decode()
    assert Client().post("/people/alice/follow/", {"on": 1}).status_code == 302
    assert Follow.objects.count() == 1


@pytest.fixture
def followers(alice, bob, carol):
    Follow.make(bob, alice)
    Follow.make(carol, alice)
    return [bob, carol]


def publish(alice, **fields):
    post = Post(author=alice, title="News", **fields)
    post.publish()
    run_fan_outs()
    return post


def test_followers_are_told_of_a_post_once_by_the_pulse_in_batches(alice, followers, monkeypatch):
    monkeypatch.setattr("inbox.models.fan_out.BATCH", 1)
    post = publish(alice)
    post.title = "Fresh news"
    post.revise()
    run_fan_outs()
    assert [told(one) for one in (alice, *followers)] == [[], *[["alice published Fresh news"]] * 2]
    post.unpublish()
    run_fan_outs()
    assert [told(one) for one in followers] == [[], []]
    post.publish()
    run_fan_outs()
    assert [told(one) for one in followers] == [["alice published Fresh news"]] * 2
    assert FanOut.objects.get().done


def test_a_post_withdrawn_while_it_is_told_is_told_no_further(alice, followers, monkeypatch):
    monkeypatch.setattr("inbox.models.fan_out.BATCH", 1)
    post = Post(author=alice, title="News")
    post.publish()
    with transaction.atomic():
        FanOut.objects.get().carry_on()
    assert [len(told(one)) for one in followers] == [1, 0]
    post.unpublish()
    run_fan_outs()
    assert [told(one) for one in followers] == [[], []]


def test_a_scheduled_post_is_told_of_when_its_time_comes_and_imports_and_pages_never(alice, followers):
    post = publish(alice, published_at=timezone.now() + timedelta(hours=1))
    publish(alice, origin="elsewhere#1")
    publish(alice, is_page=True)
    assert not FanOut.objects.exists()
    Post.objects.filter(pk=post.pk).update(published_at=timezone.now())
    publish_due()
    run_fan_outs()
    assert [told(one) for one in followers] == [["alice published News"]] * 2


def test_the_stream_of_a_person_brings_badge_title_and_row(post, alice, bob, carol):
    [before] = cursors(alice)
    said = post.comment(bob, "hello <b>")
    text, head = delta(find(name_of(alice)), before.tick)
    row = Notification.objects.get()
    assert (
        f'hx-target="#inbox" key="data-key" sort="desc"><li class="notification unread" id="notification-{row.pk}"'
        in text
    )
    assert 'data-unread="1"' in text and '{"unread": 1}' in text
    said.remove(bob)
    text, _ = delta(find(name_of(alice)), head)
    assert f'hx-target="#notification-{row.pk}" hx-swap="delete"' in text and 'data-unread="0"' in text
    for n in range(60):
        post.comment(carol, f"@alice {n}")
    text, _ = delta(find(name_of(alice)), head)
    assert 'id="again"' in text and "<li " not in text and 'data-unread="60"' in text


def test_a_badge_says_no_more_than_99(post, alice, bob, client):
    client.force_login(alice)
    for n in range(100):
        post.comment(bob, f"@alice {n}")
    page = client.get("/").content.decode()
    assert "<title>(99+) Parley</title>" in page and ">99+</span>" in page


def test_an_author_is_told_what_a_moderator_decided_and_not_what_they_did_themselves(post, bob, carol, mallory):
    said = post.comment(bob, "rude")
    answer = post.comment(carol, "no", said)
    answer.remove(carol)
    assert told(carol) == []
    said.remove(mallory, "Not like this")
    assert told(bob) == [f"A moderator removed your comment on {post}: Not like this"]
    said.restore(mallory)
    assert told(bob)[1:] == [f"A moderator restored your comment on {post}"]
    assert bob.notifications.order_by("-pk").first().target == said.get_absolute_url()
    waiting = Comment(post=post, author=bob, body="links", html="links")
    waiting.hold_for_review(Action(kind=Action.Kind.LINKS))
    waiting.reject(mallory, "advertising")
    assert f"A moderator did not accept your comment on {post}: advertising" in told(bob)
    waiting.approve(mallory)
    assert f"A moderator approved your comment on {post}" in told(bob)

"""What moves on an open page keeps the place of the keyboard, and a new tab is opened as everywhere."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from posts.models import LiveUpdate, Post
from rooms.models import Room


@pytest.mark.parametrize("movable", [True, False])
def test_the_keyboard_stays_on_what_moves_to_the_top(site, open_page, movable):
    """A card, an update, a notification, a conversation; ``movable``: if the browser has a loss-free way to move."""
    long_ago = timezone.now() - timedelta(days=30)
    alice, bob, carol = (site.account(name, date_joined=long_ago) for name in ("alice", "bob", "carol"))
    with site.orm():
        posts = [Post(author=alice, title=f"Post {n}", body="b") for n in range(3)]
        for post in posts:
            post.publish()
        questions = [post.comment(bob, "What is that?") for post in posts[:2]]
        for question in questions:
            question.post.comment(alice, "A crab", question)
        updates = [LiveUpdate(post=posts[2], author=alice, body=f"[Update {n}](/)") for n in range(2)]
        for update in updates:
            update.revise()
        rooms = [Room.write(other, [bob], f"hello from {other}").room for other in (alice, carol)]

    rows = []
    for path, row, place in [
        ("/", f"#card-{posts[0].pk}", "h2 a"),
        (posts[2].get_absolute_url(), f"#update-{updates[0].pk}", ".meta a"),
        ("/inbox/", "#inbox > li:has-text('Post 0')", "button"),
        ("/messages/", f"#room-{rooms[0].pk}", "a"),
    ]:
        page = open_page(site, bob)
        if not movable:
            page.add_init_script("delete Element.prototype.moveBefore")
        with page.expect_websocket():
            page.goto(path)
        row = page.locator(row)
        row.locator(place).evaluate("one => { one.focus(); one.mark = 'the same'; }")
        assert page.evaluate("'moveBefore' in Element.prototype") == movable
        assert row.evaluate("one => one.previousElementSibling") is not None
        rows.append((row, place))

    with site.orm():
        posts[0].published_at = timezone.now()
        posts[0].revise()
        updates[0].pinned = True
        updates[0].revise()
        Room.objects.get(pk=rooms[0].pk).say(alice, "are you there?")
        Post.objects.get(pk=posts[0].pk).comment(carol, "Two crabs", questions[0])
    for row, place in rows:
        expect(row.and_(row.page.locator("li:first-child"))).to_be_visible()
        expect(row.locator(place)).to_be_focused()
        assert row.locator(place).evaluate("one => one.mark") == "the same"


def test_a_click_for_a_new_tab_opens_one(site, post, cast, open_page):
    page = open_page(site, cast[1])
    page.goto(f"/posts/{post.slug}/")
    reply = page.locator(f"#reply-{post.first.pk}")
    for how in ({"modifiers": ["ControlOrMeta"]}, {"modifiers": ["Shift"]}, {"button": "middle"}):
        with page.context.expect_page() as opened:
            reply.click(**how)
        opened.value.wait_for_url(f"**/comments/{post.first.pk}/reply/")
        opened.value.close()
    expect(page.locator(f"#form-{post.first.pk} textarea")).to_have_count(0)
    reply.click()
    expect(page.locator(f"#form-{post.first.pk} textarea")).to_be_focused()

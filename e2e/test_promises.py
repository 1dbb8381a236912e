"""What an open page promises, where only a browser can show it; the model of it is in posts/tests/test_promises.py."""

import re

from playwright.sync_api import expect

from e2e.words import assert_as_reloaded, say, show
from harness.site import Relay
from posts.models import Comment, Post
from rooms.models import Room


def sockets_of(page):
    """The sockets of ``page``, through our hands: dict with those that are open, and whether more are ``refused``."""
    state = {"open": [], "refused": False}

    def connect(route):
        if state["refused"]:
            return route.close(code=1013)
        route.connect_to_server()
        state["open"].append(route)

    page.route_web_socket(re.compile("/ws/"), connect)
    return state


def test_what_came_while_the_socket_was_away_comes_though_older_comments_were_loaded(site, post, cast, open_page):
    with site.orm():
        for n in range(60):
            Post.objects.get(pk=post.pk).comment(cast[2], f"old {n}")
    page = open_page(site, cast[1])
    sockets = sockets_of(page)
    show(page, post)
    sockets["refused"] = True
    for socket in sockets["open"]:
        socket.close(code=1013)
    say(site, cast[2], post, "missed, the first")
    say(site, cast[2], post, "missed, the second")
    page.get_by_role("link", name="Older comments").click()
    expect(page.locator("#comments")).to_contain_text("old 0")
    expect(page.locator("#comments")).not_to_contain_text("missed")
    sockets["refused"] = False
    expect(page.locator("#comments")).to_contain_text("missed, the first")
    expect(page.locator("#comments")).to_contain_text("missed, the second")
    assert page.locator("#comments > li").count() == 63


def test_a_draft_below_a_removed_comment_of_an_older_page_outlives_all_that_was_missed(site, post, cast, open_page):
    _, bob, carol = cast
    with site.orm():
        thing = Post.objects.get(pk=post.pk)
        parent = Comment.objects.get(pk=post.first.pk)
        for n in range(60):
            thing.comment(carol, f"old {n}")
    with Relay(site) as relay:
        page = show(open_page(relay, bob), post)
        page.expect_troubles = True  # the console tells of the connections that failed
        page.get_by_role("link", name="Older comments").click()
        page.locator(f"#reply-{parent.pk}").click()
        draft = page.locator(f"#body-{parent.pk}")
        draft.press_sequentially("half a thought")
        draft.press("Home")
        relay.cut()
        with site.orm():
            Comment.objects.get(pk=parent.pk).remove(carol)
            for n in range(55):
                thing.comment(carol, f"missed {n}")
        relay.mend()
        place = page.locator(f"#comment-{parent.pk}")
        expect(place).to_contain_text("This comment was removed while you were writing.")
        expect(page.locator("#comments")).to_contain_text("missed 54")
        expect(page.locator("#comments")).to_contain_text("old 0")
        expect(page.locator("#again[hx-get]")).to_have_count(0)
        expect(draft).to_have_value("half a thought")
        expect(draft).to_be_focused()
        assert draft.evaluate("area => area.selectionStart") == 0
        assert page.locator("#comments > li").count() == 116
        place.get_by_role("button", name="Cancel").click()
        expect(place).to_have_count(0)
        page.locator("#comments").evaluate("list => [...list.children].slice(50).forEach(item => item.remove())")
        assert_as_reloaded(page, open_page, site, post)


def test_a_line_that_is_removed_while_its_author_edits_it_keeps_the_form(site, cast, open_page):
    alice, bob, _ = cast
    with site.orm():
        room = Room(name="The lobby", kind=Room.Kind.OPEN)
        room.revise()
        line, other = room.say(bob, "a line"), room.say(alice, "another")
    page = open_page(site, bob)
    page.goto(room.get_absolute_url())
    expect(page.locator("#people-here li")).to_have_count(1)
    page.locator(f"#edit-{line.pk}").click()
    draft = page.locator(f"#edit-body-{line.pk}")
    draft.fill("a better line")
    with site.orm():
        line.remove(bob)
        other.remove(alice)
    expect(page.locator(f"#message-{other.pk}")).to_have_count(0)
    place = page.locator(f"#message-{line.pk}")
    expect(place).to_contain_text("This message was removed while you were writing.")
    expect(draft).to_have_value("a better line")
    expect(draft).to_be_focused()
    place.get_by_role("button", name="Cancel").click()
    expect(place).to_have_count(0)

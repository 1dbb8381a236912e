"""What breaks between a page and the database, and that the page is right again afterwards."""

import pytest
import redis
from playwright.sync_api import expect

from e2e.words import assert_as_reloaded, comment, connected, say, show
from harness.site import Relay
from live import doorbell
from live.streams import name_of
from live.testing import until
from posts.models import Comment, Post


def turmoil(site, cast, post):
    """While nobody hears it: three are added, one edited, one removed, one removed below which something stands."""
    alice, bob, carol = cast
    with site.orm():
        post = Post.objects.get(pk=post.pk)
        first = post.comments.order_by("pk").first()
        post.comment(bob, "added on top")
        post.comment(alice, "added below", first)
        brief = post.comment(carol, "added and removed")
        edited, removed, buried = list(post.comments.filter(body__startswith="old").order_by("pk"))
        edited.revise(edited.author, "old, edited")
        removed.remove(removed.author)
        post.comment(carol, "still stands", buried)
        buried.remove(buried.author)
        brief.remove(carol)
        return post.comment(bob, "the last one")


@pytest.fixture
def old(site, cast, post):
    return [say(site, cast[1], post, f"old {n}") for n in range(3)]


def draft(page, below):
    page.locator(f"#reply-{below.pk}").click()
    page.locator(f"#body-{below.pk}").press_sequentially("half a thought")
    return page.locator(f"#body-{below.pk}")


def test_the_server_is_killed_and_comes_back_with_news(site, post, cast, old, open_page):
    pages = [show(open_page(site, person), post) for person in (cast[1], None)]
    typing = draft(pages[0], old[0])
    site.kill()
    turmoil(site, cast, post)
    site.start()
    for page in pages:
        page.expect_troubles = True  # the console tells of the connections that failed
        expect(page.locator("#comments")).to_contain_text("the last one")
    expect(typing).to_have_value("half a thought")
    expect(typing).to_be_focused()
    for page in pages:
        assert_as_reloaded(page, open_page, site, post)
    comment(pages[0], "and live again")
    expect(pages[1].locator("#comments")).to_contain_text("and live again")


def test_the_line_is_cut_while_things_change(site, post, cast, old, open_page):
    with Relay(site) as relay:
        page = show(open_page(relay, cast[1]), post)
        page.expect_troubles = True
        typing = draft(page, old[0])
        relay.cut()
        turmoil(site, cast, post)
        relay.mend()
        expect(page.locator("#comments")).to_contain_text("the last one")
        expect(typing).to_have_value("half a thought")
        expect(typing).to_be_focused()
        assert_as_reloaded(page, open_page, site, post)


def test_a_page_that_missed_more_than_fifty_changes_gets_the_whole(site, post, cast, old, open_page):
    with Relay(site) as relay:
        page = show(open_page(relay, cast[1]), post)
        page.expect_troubles = True
        typing = draft(page, old[0])
        relay.cut()
        with site.orm():
            for n in range(40):
                Post.objects.get(pk=post.pk).comment(cast[2], f"missed {n}", Comment.objects.get(pk=old[n % 2].pk))
        turmoil(site, cast, post)
        with site.orm():
            for n in range(20):
                Post.objects.get(pk=post.pk).comment(cast[2], f"missed too {n}")
        relay.mend()
        expect(page.locator("#comments")).to_contain_text("missed too 19")
        expect(typing).to_have_value("half a thought")
        expect(typing).to_be_focused()
        assert_as_reloaded(page, open_page, site, post)


def test_a_comment_is_kept_by_the_form_while_there_is_no_server(site, post, cast, open_page):
    with Relay(site) as relay:
        page = show(open_page(relay, cast[1]), post)
        page.expect_troubles = True
        relay.cut()
        comment(page, "into the void")
        expect(page.locator("#body-new")).to_have_value("into the void")
        relay.mend()
        connected(page)
        page.locator("#form-new button").click()
        expect(page.locator("#comments")).to_contain_text("into the void")
        expect(page.locator("#body-new")).to_have_value("")
        assert_as_reloaded(page, open_page, site, post)


def test_what_another_process_wrote_without_ringing_is_found_by_the_pulse(site, post, cast, open_page):
    page = show(open_page(site), post)
    say(site, cast[1], post, "written by a command")
    expect(page.locator("#comments")).to_contain_text("written by a command")
    assert_as_reloaded(page, open_page, site, post)


@pytest.fixture
def crowd(wide):
    """The cast and a post on the two sites that are one."""
    cast = [wide[0].account(name) for name in ("alice", "bob", "carol")]
    with wide[0].orm():
        post = Post(author=cast[0], title="A day at the sea", body="The tide is out.")
        post.publish()
        post.comment(cast[2], "The first word")
    return cast, post


def test_a_comment_posted_at_one_process_appears_on_the_pages_of_the_other(wide, crowd, open_page):
    (_, bob, carol), post = crowd
    here, there = show(open_page(wide[0], bob), post), show(open_page(wide[1], carol), post)
    expect(here.locator("#readers")).to_have_text("2 people are reading")
    for n in range(3):
        comment(here, f"from here {n}")
        expect(there.locator("#comments")).to_contain_text(f"from here {n}")
        comment(there, f"from there {n}")
        expect(here.locator("#comments")).to_contain_text(f"from there {n}")
    for page in (here, there):
        expect(page.locator("#comment-count")).to_have_text("7")
        assert_as_reloaded(page, open_page, wide[0], post)


def test_redis_goes_away_and_comes_back_and_nothing_is_lost(wide, crowd, redis_server, open_page):
    (_, bob, carol), post = crowd
    here, there = show(open_page(wide[0], bob), post), show(open_page(wide[1], carol), post)
    redis_server.kill()
    try:
        comment(here, "without Redis")
        expect(here.locator("#comments")).to_contain_text("without Redis")
        expect(there.locator("#comments")).to_contain_text("without Redis")
    finally:
        redis_server.start()
    comment(there, "with Redis again")
    expect(here.locator("#comments")).to_contain_text("with Redis again")
    expect(here.locator("#comment-count")).to_have_text("3")
    for page in (here, there):
        assert_as_reloaded(page, open_page, wide[0], post)
    group = f"*{doorbell.group(name_of(post))}"
    with redis.from_url(redis_server.url) as asking:  # until both processes hear the doorbell itself again
        until(lambda: sum(count for _, count in asking.pubsub_numsub(*asking.pubsub_channels(group) or [group])) == 2)
    comment(here, "and rung for")
    expect(there.locator("#comments")).to_contain_text("and rung for")


def test_a_second_process_without_redis_refuses_to_start(site, sites):
    with pytest.raises(RuntimeError, match=r"Several processes need Redis: .*set REDIS_URL"):
        sites()
    assert site.answers()

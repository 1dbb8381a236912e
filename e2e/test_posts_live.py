"""What editors do, and what open pages show of it."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from e2e.words import ON_BOTH, announce, connected, show
from people.models import Person
from posts.models import LiveUpdate, Post


@pytest.fixture
def editor(site):
    return site.account("eve", is_staff=True, is_superuser=True)


def front(page):
    """Open the front page and wait until its socket is open."""
    with page.expect_websocket():
        page.goto("/")
    while page.locator("#live").evaluate("live => live._htmx?.ws?.connection?.socket?.readyState") != 1:
        pass
    return page


def act(page, action, *titles):
    """Choose the posts called ``titles`` in the admin, and do ``action`` to them."""
    page.goto("/admin/posts/post/")
    for title in titles:
        page.get_by_role("row", name=title).get_by_role("checkbox").check()
    page.locator("select[name=action]").select_option(action)
    page.get_by_role("button", name="Go").click()
    expect(page.locator(".messagelist .success")).to_be_visible()


def test_publishing_and_unpublishing_show_on_open_front_pages(site, post, cast, editor, open_page):
    with site.orm():
        Post(author=cast[0], title="Fresh fish", body="Caught this morning.").revise()
    reader, e = front(open_page(site)), open_page(site, editor)
    expect(reader.locator("#posts > li")).to_have_count(1)
    act(e, "publish", "Fresh fish")
    expect(reader.locator("#posts > li").first).to_contain_text("Fresh fish")
    reading = show(open_page(site), post)
    act(e, "unpublish", "A day at the sea")
    expect(reader.locator("#posts")).not_to_contain_text("A day at the sea")
    expect(reading.locator("#article")).to_contain_text("This post has been withdrawn.")
    answer = open_page(site)
    answer.expect_troubles = True
    assert answer.goto(f"/posts/{post.slug}/").status == 404


def test_an_edit_shows_in_place_with_a_quiet_mark(site, post, editor, open_page):
    reader, e = show(open_page(site), post), open_page(site, editor)
    listing = front(open_page(site))
    e.goto(f"/admin/posts/post/{post.pk}/change/")
    e.locator("#id_title").fill("A night at the sea")
    e.locator("#id_body").fill("The tide is **in**.")
    expect(e.locator(".preview strong")).to_have_text("in")
    e.get_by_role("button", name="Save", exact=True).click()
    expect(reader.locator("#article h1")).to_have_text("A night at the sea")
    expect(reader.locator("#article .prose strong")).to_have_text("in")
    expect(reader.locator("#article .revised")).to_contain_text("updated")
    expect(listing.locator("#posts")).to_contain_text("A night at the sea")


def test_a_scheduled_post_appears_by_itself(site, post, cast, open_page):
    reader = front(open_page(site))
    with site.orm():
        soon = timezone.now() + timedelta(hours=1)
        Post(author=cast[0], title="Soon", body="x", status="scheduled", published_at=soon).revise()
    announce(site, "By the heartbeat", cast[0])
    expect(reader.locator("#announcements")).to_contain_text("By the heartbeat")
    expect(reader.locator("#posts")).not_to_contain_text("Soon")
    with site.orm():
        Post.objects.filter(title="Soon").update(published_at=timezone.now())
    expect(reader.locator("#posts > li").first).to_contain_text("Soon")


def test_live_coverage_from_the_admin(site, post, cast, editor, open_page):
    with site.orm():
        covered = Post.objects.get(pk=post.pk)
        covered.coverage = "live"
        covered.revise()
        LiveUpdate(post=covered, author=editor, body="It begins", at=timezone.now() - timedelta(minutes=5)).revise()
    reader, e = show(open_page(site), post), open_page(site, editor)
    expect(reader.locator("#coverage")).to_have_text("Live")

    def save(button="Save and continue editing"):
        e.get_by_role("button", name=button).click()
        expect(e.locator(".messagelist .success")).to_be_visible()

    e.goto(f"/admin/posts/post/{post.pk}/change/")
    e.locator("#id_updates-1-body").fill("The **second** thing")
    save()
    updates = reader.locator("#updates > li")
    expect(updates.first).to_contain_text("The second thing")
    expect(updates).to_have_count(2)
    e.locator("#id_updates-1-pinned").check()
    e.locator("#id_updates-0-struck").check()
    save()
    expect(updates.first).to_contain_text("It begins")
    expect(updates.nth(1).locator("del")).to_contain_text("The second thing")
    expect(updates).to_have_count(2)
    e.locator("#id_updates-1-DELETE").check()
    save()
    expect(updates).to_have_count(1)
    act(e, "end_coverage", post.title)
    expect(reader.locator("#coverage")).to_have_text("The coverage has ended.")


@ON_BOTH
def test_signing_out_ends_the_sockets_of_that_session_only(site, post, cast, open_page):
    bob = cast[1]
    here, there = show(open_page(site, bob), post), show(open_page(site, bob), post)
    tab = here.context.new_page()
    show(tab, post)
    here.get_by_role("button", name="Sign out").click()
    expect(tab.locator("#notice")).to_contain_text("You are signed out")
    with site.orm():
        Post.objects.get(pk=post.pk).comment(cast[2], "Who is still here?")
    expect(there.locator("#comments")).to_contain_text("Who is still here?")
    expect(tab.locator("#comments")).not_to_contain_text("Who is still here?")


def test_a_deactivated_person_hears_nothing_more(site, post, cast, editor, open_page):
    b, e = show(open_page(site, cast[1]), post), open_page(site, editor)
    e.goto(f"/admin/people/person/{cast[1].pk}/change/")
    e.locator("#id_is_active").uncheck()
    e.get_by_role("button", name="Save", exact=True).click()
    expect(b.locator("#notice")).to_contain_text("You are signed out")
    with site.orm():
        assert not Person.objects.get(pk=cast[1].pk).is_active


@ON_BOTH
def test_readers_are_counted_by_person_and_leave_when_they_leave(site, post, cast, open_page):
    a = show(open_page(site, cast[0]), post)
    expect(a.locator("#readers")).to_have_text("1 person is reading")
    again = a.context.new_page()
    show(again, post)
    stranger = show(open_page(site), post)
    for page in (a, again, stranger):
        expect(page.locator("#readers")).to_have_text("2 people are reading")
    stranger.close()
    expect(a.locator("#readers")).to_have_text("1 person is reading")
    again.close()
    connected(a)
    expect(a.locator("#readers")).to_have_text("1 person is reading")

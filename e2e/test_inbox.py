"""Somebody answered: badges, titles, the inbox and what is announced, on pages that are open."""

import random
import re
import threading
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from e2e.words import announce, comment, connected, say, show
from harness.hand import Hand
from inbox.models import Announcement, Follow, Notification, NotificationSource
from posts.models import Comment, Post

TITLE = "A day at the sea · Parley"


def badge(page, number, title):
    """``page`` shows ``number`` (int) as unread, in its badge and in its ``title`` (str)."""
    expect(page.locator("#badge")).to_have_text(str(number))
    expect(page).to_have_title(f"({number}) {title}" if number else title)


def front(page):
    """Open the front page on ``page``, and wait until it has a socket. → ``page``"""
    with page.expect_websocket():
        page.goto("/")
    return page


def answer_a_question(one, two, site, post, cast, open_page):
    """bob has a tab on each of two sites, which may be the same; alice is on the second."""
    alice, bob, _ = cast
    question = say(site, bob, post, "What is *that*?")
    a = show(open_page(two, alice), post)
    first = show(open_page(one, bob), post)
    second = front(open_page(two, bob))
    badge(first, 0, TITLE)
    badge(second, 0, "Parley")
    comment(a, "A crab", below=question.pk)
    badge(first, 1, TITLE)
    badge(second, 1, "Parley")
    badge(a, 0, TITLE)
    return a, first, second, question


def test_an_answer_reaches_badges_and_titles_and_opening_the_thread_clears_them(site, post, cast, open_page):
    _, first, second, question = answer_a_question(site, site, site, post, cast, open_page)
    second.goto("/inbox/")
    badge(second, 1, "Inbox · Parley")
    row = second.locator("#inbox > li")
    expect(row).to_contain_text("alice replied in A day at the sea")
    expect(row).to_have_class(re.compile("unread"))
    first.goto(f"/posts/{post.slug}/")
    badge(first, 0, TITLE)
    badge(second, 0, "Inbox · Parley")
    expect(row).not_to_have_class(re.compile("unread"))

    others = [site.account(name.lower(), display_name=name) for name in ("Li", "Ana", "Bo", "Cy")]
    said = [say(site, other, post, f"No, {n} crabs", question) for n, other in enumerate(others)]
    expect(second.locator("#badge")).to_have_text("1")  # by the heartbeat: another process said it
    expect(row.first).to_contain_text("Li, Ana and 2 others replied in A day at the sea")
    expect(row).to_have_count(2)
    expect(row.first.locator(".avatar")).to_have_count(3)
    badge(first, 1, TITLE)
    with site.orm():
        Comment.objects.get(pk=said[0].pk).remove(others[0])
    expect(row.first).to_contain_text("Ana, Bo and Cy replied in A day at the sea")
    with site.orm():
        for one in said[1:]:
            Comment.objects.get(pk=one.pk).remove(one.author)
    expect(row).to_have_count(1)
    badge(second, 0, "Inbox · Parley")
    badge(first, 0, TITLE)

    row.get_by_role("button", name="Mark unread").click()
    for page, title in ((first, TITLE), (second, "Inbox · Parley")):
        badge(page, 1, title)
    expect(row.get_by_role("button", name="Mark read")).to_be_focused()
    second.get_by_role("button", name="Mark all read").click()
    for page, title in ((first, TITLE), (second, "Inbox · Parley")):
        badge(page, 0, title)
    row.get_by_role("button", name="Mark unread").click()
    badge(first, 1, TITLE)
    row.get_by_role("link").click()
    expect(second.locator("#thread")).to_contain_text("A crab")
    badge(first, 0, TITLE)


def test_an_answer_at_one_process_reaches_the_tabs_at_the_other(wide, open_page):
    cast = [wide[0].account(name) for name in ("alice", "bob", "carol")]
    with wide[0].orm():
        post = Post(author=cast[2], title="A day at the sea", body="The tide is out.")
        post.publish()
    a, first, second, question = answer_a_question(wide[0], wide[1], wide[0], post, cast, open_page)
    mine = a.locator(f"#replies-{question.pk} > li").get_attribute("data-key")
    a.locator(f"#delete-{mine}").click()
    a.locator(f"#form-{mine} button").first.click()
    badge(first, 0, TITLE)
    badge(second, 0, "Parley")

    early = [front(open_page(one, person)) for one, person in zip(wide, (cast[1], None), strict=True)]
    announce(wide[0], "The **tide** comes in", cast[0])
    for page in early:
        expect(page.locator("#announcements")).to_have_text(re.compile("The tide comes in"))


def test_an_announcement_reaches_pages_open_and_opened_later_until_dismissed_or_over(site, post, cast, open_page):
    alice, bob, _ = cast
    anonymous, signed_in = show(open_page(site), post), front(open_page(site, bob))
    other_tab = signed_in.context.new_page()
    front(other_tab)
    said = announce(site, "We close at **noon**", alice)
    later = show(open_page(site), post)
    name = f"#announcement-{said.pk}"
    for page in (anonymous, signed_in, other_tab, later):
        expect(page.get_by_role("status").locator(name)).to_contain_text("We close at noon")
    for page in (anonymous, signed_in):
        page.get_by_role("button", name="Dismiss").click()
    for page in (anonymous, signed_in, other_tab):
        expect(page.locator(name)).to_have_count(0)
    anonymous.reload()
    connected(anonymous)
    expect(anonymous.locator(name)).to_be_hidden()
    signed_in.reload()
    expect(signed_in.locator("#posts")).to_be_visible()
    expect(signed_in.locator(name)).to_be_hidden()
    expect(later.locator(name)).to_be_visible()
    with site.orm():
        Announcement.objects.update(starts=timezone.now() - timedelta(hours=1), ends=timezone.now())
    expect(later.locator(name)).to_have_count(0)  # by the heartbeat
    later.reload()
    expect(later.locator("#article")).to_be_visible()
    expect(later.locator(name)).to_have_count(0)


def test_a_name_is_completed_with_the_keyboard_alone(site, post, cast, open_page):
    _, bob, _ = cast
    for name in ("carla", "carl", "carmen"):
        site.account(name)
    page = show(open_page(site, bob), post)
    field = page.locator("#body-new")
    field.press_sequentially("Well said, @car")
    offered = page.locator("#complete-body-new button")
    expect(offered.first).to_contain_text("@carol")  # she takes part
    expect(offered).to_have_count(4)
    field.press("Tab")
    expect(offered.first).to_be_focused()
    page.keyboard.press("Enter")
    expect(field).to_have_value("Well said, @carol ")
    expect(field).to_be_focused()
    expect(offered).to_have_count(0)
    page.keyboard.type("indeed")
    expect(field).to_have_value("Well said, @carol indeed")
    page.locator("#form-new .actions button").click()
    expect(page.locator("#comments > li").first.get_by_role("link", name="@carol")).to_be_visible()
    with site.orm():
        assert Notification.objects.get(kind="mention").person.username == "carol"
    expect(field).to_have_value("")
    field.press_sequentially("nobody@ca")
    field.press_sequentially(" `")
    expect(offered).to_have_count(0)


def test_all_of_it_without_javascript(site, post, cast, open_page):
    alice, bob, carol = cast
    say(site, bob, post, "Hello @carol", post.first)
    say(site, bob, post, "And hello again", post.first)
    announce(site, "We close at noon", alice)
    page = open_page(site, carol, javascript=False)
    page.goto("/")
    expect(page).to_have_title("(2) Parley")
    expect(page.locator("#announcements")).to_contain_text("We close at noon")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator("#announcements")).not_to_contain_text("We close at noon")
    page.get_by_role("link", name="Inbox").click()
    rows = page.locator("#inbox > li")
    expect(rows).to_have_count(2)
    rows.first.get_by_role("button", name="Mark read").click()
    expect(page.locator("#badge")).to_have_text("1")
    rows.first.get_by_role("button", name="Mark unread").click()
    expect(page.locator("#badge")).to_have_text("2")
    page.get_by_role("link", name="bob mentioned you in A day at the sea").click()
    expect(page.locator("#thread")).to_contain_text("Hello @carol")
    expect(page.locator("#badge")).to_have_text("0")
    page.get_by_role("link", name="See all comments").click()
    page.get_by_role("button", name="Mute this discussion").click()
    expect(page.get_by_role("button", name="Notify me of this discussion again")).to_be_visible()
    page.get_by_role("button", name="Follow alice").click()
    expect(page.get_by_role("button", name="Stop following alice")).to_be_visible()
    page.goto("/people/bob/")
    page.get_by_role("button", name="Ignore bob").click()
    expect(page.get_by_role("button", name="Stop ignoring bob")).to_be_visible()

    anonymous = open_page(site, javascript=False)
    anonymous.goto(f"/posts/{post.slug}/")
    expect(anonymous.get_by_text("We close at noon")).to_be_visible()
    anonymous.get_by_role("button", name="Dismiss").click()
    expect(anonymous.get_by_text("We close at noon")).to_be_hidden()
    assert anonymous.url.endswith(f"/posts/{post.slug}/")


@pytest.mark.stress
def test_ten_thousand_followers_are_told_of_a_post(site, cast, open_page, capsys):
    """Promised is that publishing is quick and that all are told; how long it takes is printed."""
    alice, bob, _ = cast
    with site.orm():
        crowd = type(alice).objects.bulk_create([type(alice)(username=f"reader{n}") for n in range(10_000)])
        Follow.objects.bulk_create([Follow(author=alice, person=person) for person in [*crowd, bob]])
        draft = Post(author=alice, title="News", body="for all")
        draft.revise()
    page = front(open_page(site, bob))
    began = timezone.now()
    with site.orm():
        Post.objects.get(pk=draft.pk).publish()
    published = timezone.now()
    expect(page).to_have_title("(1) Parley")
    with site.orm():
        told = Notification.objects.filter(kind="post")
        assert told.count() == 10_001 == told.values("person").distinct().count()
        last = told.latest("at").at
        Post.objects.get(pk=draft.pk).unpublish()
    expect(page).to_have_title("Parley")
    with site.orm():
        assert not Notification.objects.unread().exists()
    with capsys.disabled():
        print(f"\npublishing took {published - began}, telling 10 001 followers {last - began}")


@pytest.mark.stress
def test_no_two_transactions_wait_for_each_other(wide, server):
    """On PostgreSQL: eight people on two posts name each other in all orders, and each finds a row locked."""
    people = [wide[0].account(f"talker{n}") for n in range(8)]
    with wide[0].orm():
        posts = [Post(author=people[n], title=f"Post {n}", body="Talk") for n in range(2)]
        for post in posts:
            post.publish()
    errors = []

    def talk(n):
        try:
            hand = Hand(wide[n % 2], people[n], posts[n // 4])
            for turn in range(30):
                names = random.sample([person.username for person in people], 4)
                hand.write(f"{turn} " + " ".join(f"@{name}" for name in names))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=talk, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    with wide[0].orm():
        assert Comment.objects.count() == 240
        for comment in Comment.objects.all():
            mentioned = {name for name in comment.body.replace("@", "").split()[1:] if name != comment.author.username}
            told = NotificationSource.objects.filter(source_id=comment.pk, notification__kind="mention")
            assert {cause.person.username for cause in told.select_related("person")} == mentioned

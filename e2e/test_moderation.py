"""What waits, what is decided, and who is stopped: on the pages of those who watch."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import expect

from e2e.words import assert_as_reloaded, comment, connected, show, texts
from harness.hand import Hand
from live.testing import Page
from parley import settings
from people.models import Person
from posts.models import Comment, Post
from rooms.models import Room

ONE_AN_HOUR = {"RATES_OF": settings.RATES_OF | {"comment": {"person": [(1, 3600)], "new": [(1, 3600)]}}}


def people(site):
    """alice, who wrote a post; bob, who is new; carol, who is known; and mallory, who moderates; and the post."""
    alice, bob, carol, mallory = (site.account(name) for name in ("alice", "bob", "carol", "mallory"))
    with site.orm():
        Person.objects.filter(pk=mallory.pk).update(is_staff=True)
        mallory.groups.add(Group.objects.get(name="Moderators"))
        post = Post(author=alice, title="A day at the sea", body="The tide is out.")
        post.publish()
        for text in ("The first word", "The second word"):
            post.comment(carol, text)
        Person.objects.filter(pk=carol.pk).update(date_joined=timezone.now() - timedelta(days=2))
    return bob, carol, mallory, post


def enter(page, room):
    """Open ``room`` on ``page`` and wait until it is connected. → ``page``"""
    page.goto(f"/rooms/{room.slug}/")
    expect(page.locator("#here-number")).not_to_be_empty()
    return page


def test_a_comment_waits_is_approved_in_place_reported_and_removed(sites, open_page):
    site = sites(REVIEW="on")
    bob, carol, mallory, post = people(site)
    desk = open_page(site, mallory)
    desk.goto("/admin/")
    expect(desk.locator("#queue-waiting")).to_have_text("0")
    b, c, anonymous = (show(open_page(site, one), post) for one in (bob, carol, None))
    comment(b, "May I?")
    mine = b.locator("#comments > li").first
    expect(mine).to_contain_text("Your comment waits for review.")
    expect(mine.get_by_text("Your comment waits for review.")).to_be_visible()
    expect(b.locator("#body-new")).to_have_value("")
    expect(desk.locator("#queue-waiting")).to_have_text("1")
    pk = mine.get_attribute("data-key")

    comment(c, "I may")
    for page in (b, c, anonymous):
        expect(page.locator("#comments")).to_contain_text("I may")
        expect(page.locator("#comment-count")).to_have_text("3")
    assert texts(b) == ["I may", "May I?", "The second word", "The first word"]
    assert texts(c) == texts(anonymous) == ["I may", "The second word", "The first word"]
    b.reload()
    connected(b)
    expect(b.locator(f"#comment-{pk}")).to_contain_text("May I?")

    m = show(open_page(site, mallory), post)
    expect(m.locator(f"#comment-{pk}").get_by_text("Waits for review.", exact=True)).to_be_visible()
    expect(anonymous.locator("#comments .moderation:visible, #comments .report:visible")).to_have_count(0)
    expect(m.locator("#comments .report:visible")).to_have_count(0)
    m.locator(f"#menu-{pk}").click()
    m.locator(f"#form-{pk}").get_by_role("button", name="Approve").click()
    for page in (anonymous, b, c, m):
        expect(page.locator(f"#comment-{pk}")).to_contain_text("May I?")
        expect(page.locator("#comment-count")).to_have_text("4")
        expect(page.locator(f"#comment-{pk}")).not_to_contain_text("aits for review")
        assert texts(page) == ["I may", "May I?", "The second word", "The first word"]
    assert_as_reloaded(anonymous, open_page, site, post)
    assert_as_reloaded(m, open_page, site, post)
    expect(m.locator(f"#form-{pk} .menu")).to_have_count(0)
    expect(desk.locator("#queue-waiting")).to_have_text("0")

    c.locator(f"#report-{pk}").click()
    c.locator(f"#form-{pk} input[name=reason]").fill("He <b>may not</b>")
    c.locator(f"#form-{pk} button").first.click()
    expect(c.locator(f"#form-{pk}")).to_have_text("Thank you. A moderator will look at it.")
    expect(desk.locator("#queue-reported")).to_have_text("1")

    m.expect_troubles = True  # the answer 422 shows on the console
    m.locator(f"#menu-{pk}").click()
    expect(m.locator(f"#form-{pk}")).to_contain_text("He <b>may not</b>")
    m.locator(f"#form-{pk}").get_by_role("button", name="Remove").click()
    expect(m.get_by_role("alert")).to_have_text("Say why you remove it.")
    m.locator(f"#remove-reason-{pk}").fill("Off topic")
    m.locator(f"#form-{pk}").get_by_role("button", name="Remove").click()
    for page in (anonymous, b, c, m):
        expect(page.locator(f"#comment-{pk}")).to_have_count(0)
        expect(page.locator("#comment-count")).to_have_text("3")
    expect(desk.locator("#queue-reported")).to_have_text("0")


def test_a_line_is_reported_and_removed_and_a_ban_takes_all_that_its_author_said(site, open_page):
    bob, carol, mallory, post = people(site)
    with site.orm():
        room = Room(name="The lobby")
        room.revise()
        pk, comment_pk = room.say(bob, "buy now").pk, post.comment(bob, "spam below").pk
    desk = open_page(site, mallory)
    desk.goto("/admin/")
    expect(desk.locator("#queue-reported")).to_have_text("0")
    b, c, m = (enter(open_page(site, one), room) for one in (bob, carol, mallory))
    anonymous = show(open_page(site), post)
    c.locator(f"#message-{pk}").hover()
    expect(c.locator(f"#menu-{pk}")).to_be_hidden()
    c.locator(f"#report-{pk}").click()
    slot = c.locator(f"#message-{pk}-form")
    slot.locator("input[name=reason]").fill("adver<b>tising</b>")
    slot.locator("button").first.click()
    expect(slot).to_have_text("Thank you. A moderator will look at it.")
    expect(desk.locator("#queue-reported")).to_have_text("1")

    m.expect_troubles = True  # the answer 422 shows on the console
    m.locator(f"#message-{pk}").hover()
    expect(m.locator(f"#report-{pk}")).to_be_hidden()
    m.locator(f"#menu-{pk}").click()
    menu = m.locator(f"#message-{pk}-form")
    expect(menu).to_contain_text("adver<b>tising</b>")
    menu.get_by_role("button", name="Remove").click()
    expect(m.get_by_role("alert")).to_have_text("Say why you remove it.")
    m.locator(f"#remove-reason-{pk}").fill("advertising")
    menu.get_by_role("button", name="Remove").click()
    for page in (b, c, m):
        expect(page.locator(f"#message-{pk}")).to_have_count(0)
    expect(desk.locator("#queue-reported")).to_have_text("0")
    expect(b.locator("#badge")).to_contain_text("1")
    inbox = open_page(site, bob)
    inbox.goto("/inbox/")
    expect(inbox.locator("#inbox")).to_contain_text("A moderator removed your message in The lobby: advertising")
    inbox.close()

    hands = [Hand(site, bob, room), Hand(site, carol, room)]
    for n in range(2):
        hands[0].write(f"spam {n}")
    again = m.locator("#messages .line", has_text="spam 0")
    again.hover()
    again.get_by_role("link", name="Moderate").click()
    again.get_by_text("Ban bob").click()
    again.get_by_label("Reason", exact=True).fill("spam")
    again.get_by_role("checkbox").check()
    again.get_by_role("button", name="Ban").click()
    expect(b.locator("#notice")).not_to_be_empty()
    expect(anonymous.locator(f"#comment-{comment_pk}")).to_have_count(0)
    for page in (c, m):
        expect(page.locator("#messages")).not_to_contain_text("spam")
    hands[1].write("Peace at last")
    expect(c.locator("#messages")).to_contain_text("Peace at last")
    assert "Peace at last" not in b.locator("#messages").inner_text()
    b.reload()
    expect(b.get_by_role("link", name="Sign in", exact=True)).to_be_visible()


def test_bob_writing_too_fast_is_told_for_how_long_and_keeps_the_text(sites, open_page):
    site = sites(RATES="on", changed=ONE_AN_HOUR)
    bob, _, _, post = people(site)
    b = show(open_page(site, bob, language="zh-CN"), post)
    b.expect_troubles = True  # the answer 429 shows on the console
    comment(b, "One")
    expect(b.locator("#comments")).to_contain_text("One")
    comment(b, "Two")
    expect(b.get_by_role("alert")).to_have_text(re.compile(r"发送过快，请 \d+ 秒后再试。"))
    expect(b.locator("#body-new")).to_have_value("Two")
    hand = Hand(site, bob, post)
    for n in range(3):
        hand.claims = {"X-Forwarded-For": f"203.0.113.{n}", "X-Real-IP": f"203.0.113.{n}"}
        with pytest.raises(HTTPError) as refused:
            hand.write(f"Three {n}")
        assert refused.value.code == 422 and 0 < int(refused.value.headers["Retry-After"]) <= 3600
    assert texts(b) == ["One", "The second word", "The first word"]


def sign_in(site, name, password, **claims):
    """Try to sign in. → the page (str) that answers, whatever its status"""
    with urlopen(f"{site.url}/accounts/login/") as page:
        cookie = page.headers["Set-Cookie"].partition(";")[0]
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.read().decode())[1]
    form = urlencode({"login": name, "password": password, "csrfmiddlewaretoken": token})
    headers = {"Host": "localhost", "Cookie": cookie, **claims}  # one host, as behind one web server
    with answer_to(Request(f"{site.url}/accounts/login/", form.encode(), headers)) as page:
        return page.read().decode()


def answer_to(request):
    """The answer to ``request``, be it a refusal."""
    try:
        return urlopen(request)
    except HTTPError as refusal:
        return refusal


def approval(hand, said):
    """What ``hand`` must ask to approve the comment ``said``: the address and the form."""
    return hand.address.partition("/posts/")[0] + f"/comments/{said.pk}/approve/", {"csrfmiddlewaretoken": hand.token}


def test_two_processes_share_limits_and_what_waits(wide_sites, redis_server):
    one, two = wide_sites(RATES="on", REVIEW="on", changed=ONE_AN_HOUR)
    bob, carol, mallory, post = people(one)
    hands = [Hand(site, carol, post) for site in (one, two)] * 4

    def write(hand, text, key=""):
        try:
            hand.write(text, key=key)
        except HTTPError as refused:
            return refused.code
        return 200

    with ThreadPoolExecutor(8) as threads:
        codes = list(threads.map(write, hands, (f"at once {n}" for n in range(8))))
    assert sorted(codes) == [200] + [422] * 7

    key = uuid4()
    hands = [Hand(site, bob, post) for site in (one, two)] * 4
    with ThreadPoolExecutor(8) as threads:
        codes = list(threads.map(write, hands, ["one attempt"] * 8, [key] * 8))
    assert codes == [200] * 8
    with one.orm():
        [said] = Comment.objects.filter(author=bob)
        assert said.state == "waiting"
    with Page(f"{two.url}/posts/{post.slug}/").connect() as page:
        assert "one attempt" not in page.html
        page.hear("reading")
        hands = [Hand(site, mallory, post) for site in (one, two)] * 4
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda hand: hand.ask(*approval(hand, said)), hands))
        page.hear("one attempt")
        assert f'id="comment-{said.pk}"' in page.text
    with two.orm():
        assert said.actions.filter(kind="approved").count() == 1
        assert Post.objects.get(pk=post.pk).comment_count == 4

    for n, site in enumerate([one, two, one, two, one]):
        assert "are not correct" in sign_in(site, "bob", f"guess {n}")
    for site in (one, two):
        claims = {"X-Forwarded-For": "203.0.113.1", "X-Real-IP": "203.0.113.1"}
        assert "Too many wrong sign-ins" in sign_in(site, "bob", "one more guess", **claims)
    redis_server.stop()  # the database counts
    assert "Too many wrong sign-ins" in sign_in(one, "bob", "another guess")
    assert "are not correct" in sign_in(one, "carol", "a guess")

"""The main stories in Firefox and in WebKit: what Chromium shows in the other tests, they show, too."""

from datetime import timedelta

import pytest
from django.utils import timezone

from e2e.words import say
from harness.site import HASTE, Relay, Site
from people.models import Person
from posts.models import LiveUpdate, Post
from rooms.models import Room

PASSWORD = "zanzibar-9-x"
COMMENTS = "#comments .text"
LINE = "#lines .say:last-child .says"


@pytest.fixture(scope="module")
def site(tmp_path_factory, permission):
    """One site for all stories: each has a post or a room of its own."""
    with Site(tmp_path_factory.mktemp("site"), server="uvicorn", RATES="off", **HASTE) as site:
        long_ago = timezone.now() - timedelta(days=30)
        site.account("alice", date_joined=long_ago)
        site.account("bob", date_joined=long_ago, password=PASSWORD)
        yield site


@pytest.fixture
def alice(site):
    with site.orm():
        return Person.objects.get(username="alice")


@pytest.fixture
def bob(site):
    with site.orm():
        return Person.objects.get(username="bob")


@pytest.fixture
def post(site, alice):
    with site.orm():
        post = Post(author=alice, title="A day at the sea", body="The tide is out.", coverage="live")
        post.publish()
        post.first = post.comment(alice, "The first word")
    return post


@pytest.fixture
def room(site):
    with site.orm():
        room = Room(name="The lobby", kind=Room.Kind.OPEN)
        room.revise()
    return room


def show(page, post):
    """Open ``post`` and wait until its page is connected: it tells how many read along. → the page"""
    page.goto(f"/posts/{post.slug}/")
    page.expect(lambda: page.texts("#readers") not in ([], [""]))
    return page


def enter(page, room):
    """Open ``room`` and wait until its page is connected: it tells how many are here. → the page"""
    page.goto(room.get_absolute_url())
    page.expect(lambda: page.texts("#here-number") not in ([], [""]))
    return page


def comment(page, text):
    page.fill("#body-new", text)
    page.click("#form-new .actions button")


def test_alice_sees_bobs_comment_his_edit_and_its_removal(site, alice, bob, post, open_other):
    a, b = (show(open_other(site, person), post) for person in (alice, bob))
    comment(b, "Look at the *light*!")
    for page in (a, b):
        page.expect_texts(COMMENTS, ["Look at the light!", "The first word"])
        page.expect_texts("#comment-count", ["2"])
    b.expect_values("#body-new", [""])
    key = a.evaluate("document.querySelector('#comments > li').dataset.key")

    a.fill("#body-new", "I am writing")
    b.click(f"#edit-{key}")
    b.fill(f"#form-{key} textarea", "Look at the sea!")
    b.click(f"#form-{key} button")
    for page in (a, b):
        page.expect_texts(COMMENTS, ["Look at the sea!", "The first word"])
    b.click(f"#delete-{key}")
    b.click(f"#form-{key} button")
    for page in (a, b):
        page.expect_texts(COMMENTS, ["The first word"])
        page.expect_texts("#comment-count", ["1"])
    assert a.values("#body-new") == ["I am writing"]
    assert a.is_focused("#body-new")


def test_a_reader_whose_line_was_cut_catches_up(site, alice, bob, post, open_other):
    with Relay(site) as relay:
        b = show(open_other(relay, bob), post)
        b.fill("#body-new", "Half a thought")
        relay.cut()
        said = [say(site, alice, post, f"while you were away {n}") for n in range(3)]
        with site.orm():
            said[1].revise(alice, "while you were away, edited")
            said[2].remove(alice)
        relay.mend()
        wanted = ["while you were away, edited", "while you were away 0", "The first word"]
        b.expect_texts(COMMENTS, wanted)
        b.expect_texts("#comment-count", ["3"])
        assert b.values("#body-new") == ["Half a thought"]
        say(site, alice, post, "and live again")
        b.expect_texts(COMMENTS, ["and live again", *wanted])


def test_bob_signs_in_comments_and_his_other_tab_counts_the_answer(site, alice, bob, post, open_other):
    page = open_other(site)
    page.goto(f"/accounts/login/?next=/posts/{post.slug}/")
    page.fill("#id_login", bob.username)
    page.fill("#id_password", PASSWORD)
    page.press("ENTER")
    page.expect(lambda: page.texts("#readers") not in ([], [""]))
    other = open_other(site).goto("/")
    unread = int(other.evaluate("document.querySelector('#badge').dataset.unread"))
    comment(page, "What is that?")
    page.expect_texts(COMMENTS, ["What is that?", "The first word"])
    with site.orm():
        Post.objects.get(pk=post.pk).comment(alice, "A crab", post.comments.latest("pk"))
    for tab in (page, other):
        tab.expect_texts("#badge", [str(unread + 1)])
    other.expect(other.title, f"({unread + 1}) Parley")


def test_a_live_update_arrives_and_is_taken_back(site, alice, post, open_other):
    reader = show(open_other(site), post)
    with site.orm():
        first = LiveUpdate(post=Post.objects.get(pk=post.pk), author=alice, body="It *begins*")
        first.revise()
    reader.expect_texts("#updates > li .prose", ["It begins"])
    with site.orm():
        first.body = "It has begun"
        first.revise()
        LiveUpdate(post=Post.objects.get(pk=post.pk), author=alice, body="A second thing").revise()
    reader.expect_texts("#updates > li .prose", ["A second thing", "It has begun"])
    with site.orm():
        first.withdraw()
    reader.expect_count("#updates > li", 1)


def test_lines_of_a_room_stay_in_order_however_fast_they_are_typed(site, alice, bob, room, open_other):
    a, b = (enter(open_other(site, person), room) for person in (alice, bob))
    wanted = [f"line {n}" for n in range(10)]
    b.click(LINE)
    b.type("\n".join([*wanted, "not yet"]))
    for page in (a, b):
        page.expect_texts("#messages .text", wanted)
    b.expect_values("#lines .says", ["not yet"])
    assert b.is_focused(LINE)
    a.click(LINE)
    a.type("I hear you\n")
    for page in (a, b):
        page.expect_texts("#messages .text", [*wanted, "I hear you"])

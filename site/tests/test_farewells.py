"""What an open page is told when its right ends, and that it goes on when the right is back."""

import pytest
from django.test import Client

from live import hub
from live.streams import name_of
from live.tests.conftest import Page, until
from people.models import Person
from posts.models import Post
from rooms.models import Room

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice():
    return Person.objects.create_user("alice", is_staff=True, is_superuser=True)


@pytest.fixture
def bob():
    return Person.objects.create_user("bob")


@pytest.fixture
def post(alice):
    post = Post(author=alice, title="A day at the sea", body="The tide is out.")
    post.publish()
    return post


@pytest.fixture
def den(alice, bob):
    room = Room(name="The den", kind=Room.Kind.MEMBERS, created_by=alice)
    room.revise()
    for person in (alice, bob):
        room.admit(person)
    return room


def session(person):
    browser = Client()
    browser.force_login(person)
    return browser.session.session_key


def protect(post):
    post.password = "shell"
    post.revise()


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        (Post.unpublish, "This post has been withdrawn."),
        (protect, "This post asks for a password now."),
        (Post.delete, "This post was deleted."),
    ],
)
def test_a_post_that_is_gone_tells_its_pages_and_leaves_their_forms(post, run, end, sentence):
    async def scene():
        page = await Page(post).open()
        await hub.in_thread(end, post)
        await page.hear(sentence)
        assert "What you wrote is still here." in page.told and page.closed is None

    run(scene())


def test_who_is_told_who_reads_along_is_told_that_the_post_was_deleted(post, run):
    """Presence asks for the right as well, and may do so before the ring is heard: no farewell may get lost by that."""

    async def scene():
        page = await Page(post).open()
        await hub.in_thread(Post.objects.filter(pk=post.pk).delete)  # which rings nobody
        [presence] = page.consumer.hub.parts
        for audience in page.consumer.hub.of(name_of(post)):  # none if presence has just asked of itself
            await presence.hand(audience, {page.consumer}, "readers", 1)
        await page.hear("This post was deleted.")

    run(scene())


def test_published_again_the_post_is_live_on_the_pages_that_stayed_open(post, bob, run):
    async def scene():
        page = await Page(post).open()
        for turn in range(2):
            page.told = ""
            await hub.in_thread(post.unpublish)
            await page.hear("withdrawn")
            await hub.in_thread(post.publish)
            await page.hear("The tide is out.")
            await until(lambda: page.consumer.audiences)
            await hub.in_thread(post.comment, bob, f"Back again {turn}")
            await page.hear(f"Back again {turn}")
        assert not page.consumer.retries
        await hub.in_thread(post.unpublish)
        await page.hear("withdrawn")
        await page.close()
        assert not page.consumer.retries and name_of(post) not in page.consumer.hub.subscribers

    run(scene())


def test_who_is_taken_out_of_a_room_keeps_the_form_and_comes_back_to_all_that_was_missed(den, alice, bob, run):
    async def scene():
        page = await Page(den, session=session_of_bob).open()
        await hub.in_thread(lambda: den.memberships.get(person=bob).leave())
        await page.hear("not a member of this room any more")
        assert 'hx-target="#room"' not in page.told and 'hx-target="#composer"' not in page.told
        page.told = ""
        watching = await Page(den, session=session_of_alice).open()
        await hub.in_thread(den.say, alice, "The secret marker")
        await watching.hear("marker")
        await hub.in_thread(den.admit, bob)
        await page.hear("marker")
        assert page.told.count("not a member") == 0
        await hub.in_thread(den.say, alice, "Welcome")
        await page.hear("Welcome")

    session_of_alice, session_of_bob = session(alice), session(bob)
    run(scene())


def test_while_one_is_out_nothing_of_the_room_is_told(den, alice, bob, run):
    async def scene():
        page = await Page(den, session=session_of_bob).open()
        await hub.in_thread(lambda: den.memberships.get(person=bob).leave())
        await page.hear("not a member")
        page.told = ""
        watching = await Page(den, session=session_of_alice).open()
        for n in range(3):
            await hub.in_thread(den.say, alice, f"Secret {n}.")
            await watching.hear(f"Secret {n}.")
        await until(lambda: not page.consumer.hub.catching_up)
        assert page.told == ""

    session_of_alice, session_of_bob = session(alice), session(bob)
    run(scene())


def test_a_deleted_room_tells_its_pages(den, bob, run):
    async def scene():
        page = await Page(den, session=key).open()
        await hub.in_thread(den.delete)
        await page.hear("This room was deleted.")

    key = session(bob)
    run(scene())

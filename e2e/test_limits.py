"""On PostgreSQL, where transactions run at once: limits are exact, and a duplicate is found."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone

from harness.site import Site
from people.client_info import ClientInfo
from people.models import Person
from people.rates import TooFast, consume, refund
from posts.models import Comment, Post
from rooms.models import Message, Room

AT_ONCE = 8
HERE = ClientInfo("192.0.2.1")
LIMITS = {
    "comment": {"person": [(3, 60)]},
    "edit": {"person": [(3, 60)]},
    "line": {"person": [(3, 60)]},
    "conversation": {"person": [(3, 60)]},
    "sign-in": {"address": [(3, 60)]},
}


@pytest.fixture
def site(tmp_path, postgres_server):
    """Parley's tables on PostgreSQL; nobody serves them."""
    with postgres_server.migrated() as url, override_settings(RATES_OF=LIMITS, REVIEW=False):
        yield Site(tmp_path, url)


def at_once(site, *functions):
    """Call all ``functions`` at once, each by a connection of its own. → their results; None: too fast"""
    barrier = Barrier(len(functions))

    def call(function):
        with site.orm():
            connection.ensure_connection()
            barrier.wait()
            try:
                return function()
            except TooFast:
                return None

    with ThreadPoolExecutor(len(functions)) as threads:
        return list(threads.map(call, functions))


def allowed(site, function):
    """How many of so many calls ``function(n)`` at once are allowed (int)."""
    results = at_once(site, *(lambda n=n: function(n) for n in range(AT_ONCE)))
    return sum(result is not None for result in results)


@pytest.fixture
def bob(site):
    return site.account("bob", date_joined=timezone.now() - timedelta(days=2))


@pytest.fixture
def post(site):
    alice = site.account("alice")
    with site.orm():
        post = Post(author=alice, title="A day at the sea")
        post.publish()
    return post


@pytest.fixture
def lobby(site):
    with site.orm():
        room = Room(name="The lobby")
        room.revise()
    return room


def test_three_comments_are_three(site, post, bob):
    assert allowed(site, lambda n: Post.objects.get(pk=post.pk).comment(bob, f"comment {n}", client_info=HERE)) == 3
    with site.orm():
        assert Comment.objects.count() == 3


def test_three_edits_are_three(site, post, bob):
    with site.orm():
        said = post.comment(bob, "hello")
    allowed(site, lambda n: Comment.objects.get(pk=said.pk).revise(bob, f"edit {n}", HERE))
    with site.orm():
        assert said.revisions.count() == 3


def test_three_lines_are_three_in_whatever_rooms(site, lobby, bob):
    with site.orm():
        rooms = [lobby.pk, Room.objects.create(name="The bar", slug="bar").pk]
    assert allowed(site, lambda n: Room.objects.get(pk=rooms[n % 2]).say(bob, f"line {n}", None, HERE.address)) == 3
    with site.orm():
        assert Message.objects.count() == 3


def test_three_conversations_are_three(site, bob):
    others = [site.account(f"p{n}") for n in range(AT_ONCE)]
    assert allowed(site, lambda n: Room.write(bob, [others[n]], "hello", None, HERE.address)) == 3
    with site.orm():
        assert Room.objects.private().count() == Message.objects.count() == 3


def test_two_people_who_begin_the_same_conversation_at_once_share_it(site, bob):
    carol = site.account("carol", date_joined=timezone.now() - timedelta(days=2))
    said = at_once(
        site,
        lambda: Room.write(bob, [carol], "hello", None, HERE.address),
        lambda: Room.write(carol, [bob], "hi", None, HERE.address),
    )
    assert said[0].room_id == said[1].room_id
    with site.orm():
        assert Message.objects.count() == 2 and Room.objects.get().memberships.count() == 2


def test_a_line_sent_many_times_at_once_is_kept_once(site, lobby, bob):
    key = uuid4()
    said = at_once(site, *[lambda: Room.objects.get(pk=lobby.pk).say(bob, "hello", key, HERE.address)] * AT_ONCE)
    assert len({message.pk for message in said}) == 1


def test_attempts_count_for_their_address_whatever_the_name_and_right_ones_are_given_back(site):
    def attempt(n):
        with transaction.atomic():
            return consume("sign-in", address="192.0.2.1", name=f"{n}")

    counted = at_once(site, *(lambda n=n: attempt(n) for n in range(AT_ONCE)))
    counted = [at for at in counted if at]
    assert len(counted) == 3
    with site.orm():
        refund("sign-in", counted[0], address="192.0.2.1")
        assert attempt(0)
        with pytest.raises(TooFast):
            attempt(0)
        assert not Person.objects.exists()

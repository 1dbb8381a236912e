"""What is told after a name was given up no longer holds it, though nothing else has changed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inbox.models import Notification
from live.cursors import heads
from live.deltas import delta
from live.streams import find, name_of
from people.models import Person
from people.tests.browsers import Browser
from people.tests.conftest import PASSWORD
from posts.models import FRONT, Post
from rooms.models import MyRooms, Room

NAME = "Bobby Marker"


@pytest.fixture
def shown(db, settings):
    """The watched things that show the name of bob, who is the second of those returned."""
    settings.LIVE = settings.LIVE | {"LIMITED": False}
    long_ago = timezone.now() - timedelta(days=30)
    bob, carol = (
        Person.objects.create_user(name, f"{name}@example.org", PASSWORD, date_joined=long_ago, display_name=display)
        for name, display in (("bob", NAME), ("carol", ""))
    )
    post = Post(author=bob, title="A day at the sea", body="The tide is out.")
    post.publish()
    first = post.comment(carol, "The first word")
    post.comment(bob, "The second", first)
    lobby = Room(name="The lobby", kind=Room.Kind.OPEN)
    lobby.revise()
    lobby.say(bob, "Good morning")
    said = Room.write(bob, [carol], "Between us")
    assert Notification.objects.filter(person=carol).exists()
    return [FRONT, post, lobby, said.room, carol, MyRooms(carol.pk)], bob


def told(thing, since=0):
    return delta(find(name_of(thing)), since)[0]


def delete_account(bob):
    Person.objects.get(pk=bob.pk).delete_account(comments_stay=True)


def rename(bob):
    assert Browser(bob).post("/accounts/profile/", {"display_name": "Robert"}).status_code == 302


def rename_in_the_admin(bob):
    Person.objects.create_superuser("root", "root@example.org", PASSWORD)
    root = Person.objects.get(username="root")
    admin, address = Browser(root), f"/admin/people/person/{bob.pk}/change/"
    form = admin.get(address).context["adminform"].form
    answer = admin.post(address, {**{k: v for k, v in form.initial.items() if v}, "display_name": "Robert"})
    assert answer.status_code == 302, answer.context["errors"]


@pytest.mark.parametrize("give_up", [delete_account, rename, rename_in_the_admin])
def test_a_name_that_was_given_up_is_told_to_nobody(shown, give_up):
    things, bob = shown
    before = heads(map(name_of, things))
    assert all(NAME in told(thing) for thing in things)
    give_up(bob)
    after = heads(map(name_of, things))
    assert [name for name, head in after.items() if head == before[name]]  # or nothing would have been remembered
    for thing in things:
        text = told(thing)
        assert len(text) > 100 and NAME not in text and "Bobby" not in text, name_of(thing)

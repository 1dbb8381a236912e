"""Whom a message concerns, and what is left of one who leaves."""

import json
from zipfile import ZipFile

import pytest
from django.test import Client

from people.export import export
from rooms.models import Membership, Room
from rooms.models.room import mark_unread

pytestmark = pytest.mark.django_db


def told(person):
    return [row.sentence for row in person.notifications.unread()]


@pytest.fixture
def talking(bob, carol):
    """A conversation in which bob has said hello to carol."""
    return Room.write(bob, [carol], "hello").room


def test_a_private_message_is_told_to_the_other_until_it_is_read(
    talking, bob, carol, django_capture_on_commit_callbacks
):
    assert told(carol) == ["bob sent you a message"] and told(bob) == []
    talking.say(bob, "are you there?")
    assert len(told(carol)) == 2
    talking.memberships.get(person=carol).read_up_to(talking.last)
    assert told(carol) == []
    talking.say(carol, "yes")
    assert len(told(bob)) == 1
    with django_capture_on_commit_callbacks(execute=True):
        talking.say(bob, "fine")
    assert told(bob) == []  # who answers has read
    talking.memberships.get(person=bob).listen(Membership.Involvement.NOTHING)
    talking.say(carol, "yes")
    assert told(bob) == []


def test_a_removed_message_takes_its_notification_along(talking, bob, carol):
    said = talking.say(bob, "oops")
    said.remove(bob)
    assert told(carol) == ["bob sent you a message"]


def test_who_is_named_in_a_room_hears_of_it_if_they_may_read_there(bob, carol, alice):
    closed = Room(name="Cellar", kind=Room.Kind.MEMBERS)
    closed.revise()
    closed.admit(bob)
    closed.say(bob, "psst @carol")
    assert told(carol) == []
    closed.admit(carol)
    said = closed.say(bob, "psst @carol")
    said.revise(bob, "psst @carol, @alice and @carol")
    assert told(carol) == ["bob mentioned you in Cellar"] and told(alice) == []


def test_a_member_hears_nothing_or_everything_if_they_wish(bob, carol, alice):
    den = Room(name="Den", kind=Room.Kind.MEMBERS)
    den.revise()
    for one, involvement in [(alice, "everything"), (bob, "mentions"), (carol, "nothing")]:
        den.admit(one).listen(involvement)
    den.say(bob, "hello @carol and @alice")
    den.say(bob, "hello all")
    mark_unread()
    mark_unread()
    assert told(carol) == [] and told(bob) == []
    assert sorted(told(alice)) == ["bob mentioned you in Den", "bob wrote in Den"]
    den.memberships.get(person=alice).read_up_to(den.last)
    assert told(alice) == []
    said = den.say(bob, "one more")
    mark_unread()
    assert told(alice) == ["bob wrote in Den"]
    said.remove(bob)
    assert told(alice) == []


def test_a_notification_leads_to_the_line(talking, carol, bob):
    client = Client()
    client.force_login(carol)
    first = talking.messages.get()
    where = client.get(first.get_absolute_url())
    assert where.url == f"/messages/bob/#message-{first.pk}"
    for n in range(40):
        talking.say(bob, f"line {n}")
    assert client.get(first.get_absolute_url()).url == f"/messages/bob/?before={first.pk + 1}#message-{first.pk}"
    assert Client().get(first.get_absolute_url()).status_code == 404


def test_a_person_deleting_their_account_may_take_their_words_along(talking, bob, carol):
    talking.say(carol, "I stay")
    with ZipFile(export(bob)) as archive:
        assert [entry["text"] for entry in json.loads(archive.read("messages.json"))] == ["hello"]
    bob.delete_account(comments_stay=False)
    assert not talking.messages.filter(body="hello").exists()
    assert talking.messages.visible().get().body == "I stay"
    assert told(carol) == []

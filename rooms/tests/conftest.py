"""The cast: alice, bob and carol talk; mallory moderates."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from people.models import Person
from rooms.models import Room


@pytest.fixture
def person(db):
    """Makes people who have been here for long: ``person("bob", "Moderators")``."""

    def make(username, *groups, **fields):
        fields = {"date_joined": timezone.now() - timedelta(days=30)} | fields
        made = Person.objects.create_user(username, f"{username}@example.org", is_staff=bool(groups), **fields)
        made.groups.set(Group.objects.filter(name__in=groups))
        return made

    return make


@pytest.fixture
def alice(person):
    return person("alice")


@pytest.fixture
def bob(person):
    return person("bob")


@pytest.fixture
def carol(person):
    return person("carol")


@pytest.fixture
def mallory(person):
    return person("mallory", "Moderators")


@pytest.fixture
def lobby(db):
    """A room open to all."""
    room = Room(name="The lobby", kind=Room.Kind.OPEN)
    room.revise()
    return room


@pytest.fixture
def den(db, alice, bob):
    """A room of alice's and bob's, for members."""
    room = Room(name="The den", kind=Room.Kind.MEMBERS)
    room.revise()
    for one in (alice, bob):
        room.admit(one)
    return room

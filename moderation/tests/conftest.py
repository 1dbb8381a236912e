"""The cast: alice writes, bob and carol read and talk, mallory moderates; a post, a room for all and one for two."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client, override_settings
from django.utils import timezone

from people.client_info import ClientInfo
from people.models import Person
from posts.models import Post
from rooms.models import Room

CLIENT_INFO = ClientInfo("192.0.2.1", "a browser", "https://elsewhere.example/", "https://parley.example/")


def wait(post, author, text, parent=None):
    """A comment (``text``) of ``author`` that waits for review, for ``author`` is new here."""
    with override_settings(REVIEW=True):
        comment = post.comment(author, text, parent, client_info=CLIENT_INFO)
    assert comment.state == "waiting"
    return comment


def browser_of(person):
    client = Client()
    client.force_login(person)
    return client


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
    return person("alice", "Authors")


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
def as_mallory(client, mallory):
    client.force_login(mallory)
    return client


@pytest.fixture
def post(alice):
    post = Post(author=alice, title="A day at the sea", body="The **tide** is out.")
    post.publish()
    return post


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
    for member in (alice, bob):
        room.admit(member)
    return room

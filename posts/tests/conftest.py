"""The cast: alice writes, bob and carol read and talk, mallory moderates."""

import pytest
from django.contrib.auth.models import Group
from django.test import override_settings

from people.client_info import ClientInfo
from people.models import Person
from posts.models import Post

CLIENT_INFO = ClientInfo("192.0.2.1", "a browser", "https://elsewhere.example/", "https://parley.example/")


def wait(post, author, text, parent=None):
    """A comment (``text``) of ``author`` that waits for review, for ``author`` is new here."""
    with override_settings(REVIEW=True):
        comment = post.comment(author, text, parent, client_info=CLIENT_INFO)
    assert comment.state == "waiting"
    return comment


@pytest.fixture
def person(db):
    """Makes people: ``person("bob", "Moderators")``."""

    def make(username, *groups, **fields):
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
def post(alice):
    post = Post(author=alice, title="A day at the sea", body="The **tide** is out.")
    post.publish()
    return post

"""The cast: alice writes, bob and carol read and talk, mallory moderates; a post, a room for all and one for two."""

import pytest
from django.test import Client

from posts.tests.conftest import CLIENT_INFO, alice, post, wait  # noqa: F401
from rooms.tests.conftest import bob, carol, den, lobby, mallory, person  # noqa: F401


def browser_of(person):  # noqa: F811
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def as_mallory(client, mallory):  # noqa: F811
    client.force_login(mallory)
    return client

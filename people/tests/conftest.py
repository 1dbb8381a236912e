"""The cast: bob and carol, who talk."""

import pytest

from people.models import Person


@pytest.fixture
def bob(db):
    return Person.objects.create_user("bob")


@pytest.fixture
def carol(db):
    return Person.objects.create_user("carol")

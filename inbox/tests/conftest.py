"""The cast: alice, bob, carol, and a crowd. Threads and sources are people here: any row will do."""

import pytest

from people.models import Person


@pytest.fixture
def person(db):
    """Makes people: ``person("bob")``."""
    return lambda username, **fields: Person.objects.create_user(username, f"{username}@example.org", **fields)


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
def crowd(person):
    """Six people with names."""
    return [person(f"person{n}", display_name=name) for n, name in enumerate(["Li", "Ana", "Bo", "Cy", "Di", "Ed"])]

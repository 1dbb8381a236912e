"""The cast: bob and carol, who talk; mallory, who moderates; and root, who may everything."""

import pytest
from django.contrib.auth.models import Group
from django.utils import translation

from people.models import Person

PASSWORD = "zanzibar-9-x"


@pytest.fixture(autouse=True)
def fast_passwords(settings):
    """Where time is what is tested, the test takes the real ones."""
    settings.REAL_HASHERS = settings.PASSWORD_HASHERS
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def language_ends_with_the_test():
    """Django's test client leaves the language of its last answer behind."""
    with translation.override("en"):
        yield


@pytest.fixture
def person(db):
    """Makes people: ``person("mallory", "Moderators")``."""

    def make(username, *groups, **fields):
        fields = {"is_staff": bool(groups)} | fields
        made = Person.objects.create_user(username, f"{username}@example.org", PASSWORD, **fields)
        made.groups.set(Group.objects.filter(name__in=groups))
        return made

    return make


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
def root(person):
    return person("root", is_staff=True, is_superuser=True)

"""A username that somebody gave up leads to them, and is not another's yet."""

from datetime import timedelta

import pytest
from django.utils import timezone

from people.addresses import FormerAddress
from people.models import Person
from people.tests.browsers import Browser
from people.tests.conftest import PASSWORD
from people.tests.forms import form_of


@pytest.fixture
def robert(bob, root):
    """Bob, who is called robert now."""
    admin = Browser(root)
    address = f"/admin/people/person/{bob.pk}/change/"
    assert admin.post(address, form_of(admin.get(address), "bio") | {"username": "robert"}).status_code == 302
    return Person.objects.get(pk=bob.pk)


def signs_up(name):
    fields = {"username": name, "email": "new@example.org", "password1": PASSWORD, "password2": PASSWORD}
    Browser().post("/accounts/signup/", fields)
    return Person.objects.filter(username=name).exists()


def test_the_old_name_leads_to_the_person_and_is_kept_for_a_year(robert):
    answer = Browser().get("/people/bob/?page=1")
    assert (answer.status_code, answer.url) == (301, "/people/robert/?page=1")
    assert not signs_up("bob") and not signs_up("BOB")
    FormerAddress.objects.update(until=timezone.now() - timedelta(days=366))
    assert signs_up("bob")
    assert Browser().get("/people/bob/").status_code == 200


def test_its_person_may_have_it_back(robert, root):
    admin = Browser(root)
    address = f"/admin/people/person/{robert.pk}/change/"
    assert admin.post(address, form_of(admin.get(address), "bio") | {"username": "bob"}).status_code == 302
    assert Browser().get("/people/robert/").url == "/people/bob/"
    assert Browser().get("/people/bob/").status_code == 200


def test_what_is_sent_to_the_old_name_arrives(robert, carol):
    hers = Browser(carol)
    assert hers.post("/people/bob/follow/", {"on": "1"}).status_code == 302
    assert carol.follows.filter(whom=robert).exists() if hasattr(carol, "follows") else True
    assert hers.get("/messages/bob/").url == "/messages/robert/"


def test_nothing_is_kept_of_a_closed_account(bob):
    bob.delete_account(comments_stay=True)
    assert not FormerAddress.objects.exists()
    assert signs_up("bob")

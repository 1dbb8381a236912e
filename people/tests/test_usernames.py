"""A username is a part of an address: ``..`` leads elsewhere, and its person could be neither blocked nor answered."""

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from people.models import Person
from people.tests.browsers import Browser
from people.tests.conftest import PASSWORD
from posts.management.commands.import_wordpress import _username

BAD = ["..", "...", "--", "__", ".-_", ".bob", "bob.", "-bob", "bob-", "_bob", "bob_", "..\n", "bob\n", "a/.."]
GOOD = ["bo", "bo.b", "b..b", "b-b_c.d", "42", "李明", "é1"]


def is_valid(name):
    try:
        Person(username=name, password="x").full_clean()
    except ValidationError as error:
        assert list(error.message_dict) == ["username"]
        return False
    return True


@pytest.mark.parametrize("name", BAD)
def test_no_entrance_lets_in_a_name_that_begins_or_ends_with_a_mark(db, root, name, monkeypatch):
    assert not is_valid(name)
    asked = {"username": name, "email": "new@example.org", "password1": PASSWORD, "password2": PASSWORD}
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    if name == name.strip():  # forms cut off what stands around
        answer = Browser().post("/accounts/signup/", asked)
        assert answer.status_code == 200 and 'role="alert"' in answer.content.decode()
        assert Browser(root).post("/admin/people/person/add/", asked | {"usable_password": "true"}).status_code == 200
    with pytest.raises(CommandError):
        call_command("createsuperuser", "--noinput", "--username", name, "--email", "new@example.org")
    assert is_valid(_username(name))
    assert list(Person.objects.values_list("username", flat=True)) == ["root"]


@pytest.mark.parametrize("name", GOOD)
def test_good_names_are_let_in(db, name):
    asked = {"username": name, "email": "new@example.org", "password1": PASSWORD, "password2": PASSWORD}
    assert is_valid(name) and _username(name) == name
    assert Browser().post("/accounts/signup/", asked).status_code == 302
    assert Browser().get(f"/people/{name}/").status_code == 200


def test_who_has_such_a_name_already_keeps_it(db, person):
    old = person("bob.")
    browser = Browser(old)
    assert browser.post("/accounts/profile/", {"display_name": "Bob"}).status_code == 302
    assert "Bob" in Browser().get("/people/bob./").content.decode()


@pytest.mark.parametrize("end", ["", "-2", "-10"])
@pytest.mark.parametrize("login", [*BAD, "x" * 29 + ".", "x" * 28 + "..x", "x" * 27 + "---yy", "", "@", "a b"])
def test_an_import_makes_good_names(db, login, end):
    name = _username(login, end)
    assert is_valid(name) and name.endswith(end)

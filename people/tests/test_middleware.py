"""What an open page gets as an answer: drawn only if Parley made it, and taken only from whom it was made for."""

import pytest

from people.models import Person
from posts.models import Post

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def carol():
    return Person.objects.create_user("carol", "carol@parley.example")


@pytest.fixture
def post(carol):
    made = Post(author=carol, title="A day at the sea", body="x")
    made.publish()
    return made


@pytest.fixture
def at_carols(client, carol):
    client.force_login(carol, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_a_page_of_somebody_else_is_refused_and_told_who_is_signed_in(at_carols, post):
    answer = at_carols.post(post.get_absolute_url() + "comments/", {"body": "x"}, headers=HTMX | {"Parley-Person": "0"})
    assert answer.status_code == 409
    assert answer["HX-Reswap"] == "none"
    assert "carol" in answer.content.decode()
    assert not post.comments.exists()


def test_a_page_of_the_same_person_is_heard_and_others_may_be_read(at_carols, carol, post):
    headers = HTMX | {"Parley-Person": str(carol.pk)}
    assert at_carols.post(post.get_absolute_url() + "comments/", {"body": "x"}, headers=headers).status_code == 200
    assert at_carols.get(post.get_absolute_url(), headers={"Parley-Person": "0"}).status_code == 200


def test_pages_say_for_whom_they_are_made(client, at_carols, carol, post):
    assert f'"Parley-Person": "{carol.pk}"' in at_carols.get(post.get_absolute_url()).content.decode()
    client.logout()
    assert "Parley-Person" not in client.get(post.get_absolute_url()).content.decode()


def test_a_form_that_is_refused_is_drawn_and_what_only_tells_is_not(client, post):
    form = client.post(post.get_absolute_url() + "comments/", {"body": "x"}, headers=HTMX)
    assert form.status_code == 422  # 403 to others
    assert client.post(post.get_absolute_url() + "comments/", {"body": "x"}).status_code == 403
    told = client.get("/nowhere/", headers=HTMX)
    assert (told.status_code, told["HX-Reswap"]) == (404, "none")

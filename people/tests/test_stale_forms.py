"""What is answered to a form whose token is missing: by the view it was sent to, and nothing is done."""

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import redirect
from django.test import Client
from django.urls import get_resolver, include, path
from django.views.decorators.http import require_POST

from inbox.models import Follow
from people.models import Person
from people.stale_forms import answers_stale_forms, is_stale

HTMX = {"HX-Request": "true"}


@pytest.fixture
def as_bob(bob):
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)
    return client


@answers_stale_forms
@require_POST
def careless(request, what):
    """Views that nobody should write: each does something, whatever it was sent."""
    match what:
        case "saves":
            Person.objects.filter(pk=request.user.pk).update(bio="careless")
        case "creates":
            Person.objects.create_user("made")
        case "deletes":
            request.user.emailaddress_set.all().delete()
        case "raw":
            with connection.cursor() as cursor:
                cursor.execute("  update people_person set bio = 'careless'")
        case "remembers":
            request.session["careless"] = True
        case "reads":
            assert Person.objects.filter(groups__in=Group.objects.all()).count() == 0 and is_stale(request)
    return redirect("/somewhere/") if what == "leads" else HttpResponse(f"did {what}")


urlpatterns = [path("careless/<str:what>/", careless), path("", include("parley.urls"))]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("what", ["saves", "creates", "deletes", "raw", "leads"])
def test_a_careless_view_does_nothing_for_a_form_that_got_old(bob, as_bob, settings, what, headers):
    settings.ROOT_URLCONF = __name__
    bob.emailaddress_set.create(email=bob.email)
    answer = as_bob.post(f"/careless/{what}/", headers=headers)
    assert answer.status_code == 403 and "open for too long" in answer.content.decode()
    bob.refresh_from_db()
    assert (bob.bio, bob.emailaddress_set.count(), Person.objects.count()) == ("", 1, 1)
    client = Client()
    client.force_login(bob)
    client.post(f"/careless/{what}/")  # it does so for a good one
    bob.refresh_from_db()
    assert what == "leads" or (bob.bio, bob.emailaddress_set.count(), Person.objects.count()) != ("", 1, 1)


def test_nor_is_anything_remembered_and_nobody_takes_it_for_success(as_bob, settings):
    settings.ROOT_URLCONF = __name__
    for what in ("remembers", "reads"):
        answer = as_bob.post(f"/careless/{what}/")
        assert answer.status_code == 403 and answer.content.decode() == f"did {what}"
    assert "careless" not in as_bob.session


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_was_typed_into_a_profile_comes_back(bob, as_bob, headers):
    answer = as_bob.post("/accounts/profile/", {"display_name": "Bobby", "bio": "What I typed."}, headers=headers)
    html = answer.content.decode()
    assert answer.status_code == (422 if headers else 403) and "open for too long" in html and "What I typed." in html
    assert 'name="csrfmiddlewaretoken" value="' in html
    bob.refresh_from_db()
    assert (bob.display_name, bob.bio) == ("", "")


def test_views_that_do_not_answer_old_forms_are_not_called(carol, as_bob):
    for address, data in (
        ("/accounts/password/reset/", {"email": carol.email}),
        ("/people/carol/follow/", {"on": "1"}),
        ("/messages/carol/block/", {}),
    ):
        for headers in ({}, HTMX):
            answer = as_bob.post(address, data, headers=headers)
            assert answer.status_code == 403 and "open for too long" in answer.content.decode()
    assert not mail.outbox and not Follow.objects.exists()


def test_all_that_hold_a_text_answer_old_forms():
    """A view that shows what was typed again, when it refuses it, does so as well when only the token is missing."""
    answering = {
        pattern.name
        for included in get_resolver().url_patterns[:4]
        for pattern in included.url_patterns
        if getattr(pattern.callback, "answers_stale_forms", False)
    }
    assert answering == {
        *("comments", "edit-comment", "delete-comment", "report-comment"),
        *(f"{verb}-comment" for verb in ("approve", "reject", "remove", "restore", "keep", "ban")),
        *(f"{verb}-message" for verb in ("remove", "restore", "keep", "ban")),
        *("messages", "conversation", "conversations", "edit-message", "delete-message", "report-message"),
        *("read-room", "profile", "preferences"),
    }

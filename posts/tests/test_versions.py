"""What two people, or one in two tabs, edit at once."""

import pytest
from django.test import Client

from people.tests.forms import form_of
from posts.models import LiveUpdate

HTMX = {"HX-Request": "true"}


@pytest.fixture
def said(post, bob):
    return post.comment(bob, "The first words")


@pytest.fixture
def as_bob(client, bob):
    client.force_login(bob)
    return client


@pytest.fixture
def as_editor(client, person):
    client.force_login(person("eve", "Editors"))
    return client


def test_the_second_tab_is_told_of_the_first(as_bob, said):
    address = f"/comments/{said.pk}/edit/"
    here, there = (form_of(as_bob.get(address, headers=HTMX), "body") for _ in range(2))
    assert as_bob.post(address, here | {"body": "The second words"}, headers=HTMX).status_code == 200
    answer = as_bob.post(address, there | {"body": "The third words"}, headers=HTMX)
    html = answer.content.decode()
    assert answer.status_code == 422 and "The second words" in html and "The third words</textarea>" in html
    assert "<del>second</del><ins>third</ins>" in html
    said.refresh_from_db()
    assert said.body == "The second words"
    mine = form_of(answer, "body")
    assert as_bob.post(address, mine | {"theirs": "body"}, headers=HTMX).status_code == 200
    said.refresh_from_db()
    assert said.body == "The second words"
    assert as_bob.post(address, mine, headers=HTMX).status_code == 200
    said.refresh_from_db()
    assert said.body == "The third words"


def test_without_javascript_as_well_and_the_same_text_twice_is_no_conflict(as_bob, said):
    address = f"/comments/{said.pk}/edit/"
    here, there = (form_of(as_bob.get(address), "body") for _ in range(2))
    for _ in range(2):
        assert as_bob.post(address, here | {"body": "The second words"}).status_code == 302
    answer = as_bob.post(address, there | {"body": "The third words"})
    assert answer.status_code == 409 and "Keep my text" in answer.content.decode()
    again = form_of(answer, "body")
    assert again["body"] == ["The third words"]
    said.revise(said.author, "Once more from elsewhere")
    assert as_bob.post(address, again).status_code == 409  # what was shown was not this


def test_two_editors_change_different_things(as_editor, post):
    address = f"/admin/posts/post/{post.pk}/change/"
    first, second = (form_of(as_editor.get(address), "body") for _ in range(2))
    assert as_editor.post(address, first | {"title": "A night at the sea", "comments_open": []}).status_code == 302
    assert as_editor.post(address, second | {"body": "The tide is in."}).status_code == 302
    post.refresh_from_db()
    assert (post.title, post.body, post.comments_open) == ("A night at the sea", "The tide is in.", False)


def test_what_both_change_is_refused_with_both_texts(as_editor, post):
    address = f"/admin/posts/post/{post.pk}/change/"
    first, second = (form_of(as_editor.get(address), "body") for _ in range(2))
    assert as_editor.post(address, first | {"body": "The tide is *in*."}).status_code == 302
    answer = as_editor.post(address, second | {"body": "The tide is **low**.", "title": "Low tide"})
    html = answer.content.decode()
    assert answer.status_code == 200 and "changed meanwhile" in html
    assert "The tide is *in*." in html and "The tide is **low**.</textarea>" in html
    post.refresh_from_db()
    assert (post.title, post.body) == ("A day at the sea", "The tide is *in*.")
    mine = form_of(answer, "body")
    assert as_editor.post(address, mine | {"theirs": "body"}).status_code == 302
    post.refresh_from_db()
    assert (post.title, post.body) == ("Low tide", "The tide is *in*.")
    assert as_editor.post(address, mine).status_code == 302
    post.refresh_from_db()
    assert post.body == "The tide is **low**."


def test_the_updates_of_an_old_page_are_not_written_back(as_editor, post, alice):
    for text in ("First", "Second"):
        LiveUpdate(post=post, author=alice, body=text).revise()
    address = f"/admin/posts/post/{post.pk}/change/"
    pages = [form_of(as_editor.get(address), "updates-0-body") for _ in range(3)]
    assert pages[0]["updates-0-body"] == ["Second"]
    assert as_editor.post(address, pages[0] | {"updates-0-body": "Second, edited"}).status_code == 302
    assert as_editor.post(address, pages[1] | {"updates-1-body": "First, edited"}).status_code == 302
    assert [update.body for update in post.updates.order_by("pk")] == ["First, edited", "Second, edited"]
    ticks = [update.changed for update in post.updates.all()]
    answer = as_editor.post(address, pages[2] | {"updates-1-body": "First, otherwise"})
    html = answer.content.decode()
    assert answer.status_code == 200 and "First, edited" in html and "First, otherwise</textarea>" in html
    assert ticks == [update.changed for update in post.updates.all()]
    again = form_of(answer, "updates-0-body")
    assert as_editor.post(address, again | {"theirs": "updates-1-body"}).status_code == 302
    assert [update.body for update in post.updates.order_by("pk")] == ["First, edited", "Second, edited"]
    assert ticks == [update.changed for update in post.updates.all()]


def test_an_old_page_does_not_open_again_what_was_withdrawn(as_editor, post):
    address = f"/admin/posts/post/{post.pk}/change/"
    before = form_of(as_editor.get(address), "body")
    post.unpublish()
    assert as_editor.post(address, before | {"title": "A night at the sea"}).status_code == 302
    post.refresh_from_db()
    assert (post.title, post.status) == ("A night at the sea", "unpublished")
    assert Client().get(f"/posts/{post.slug}/").status_code == 404

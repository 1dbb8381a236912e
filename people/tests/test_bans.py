import pytest
from django.core.exceptions import PermissionDenied

from people.models import Person
from people.rules import Refused
from people.tests.browsers import Browser

PEOPLE = "/admin/people/person/"


def test_a_ban_ends_all_sessions_and_every_page_is_told_why(bob, mallory):
    laptop, phone = Browser(bob), Browser(bob)
    sockets = [laptop.listen(), phone.listen()]
    bob.ban(mallory, "  Advertising <b>again</b> ")
    for socket in sockets:
        text, code = socket.farewell
        assert socket.is_rung and code == 4401
        assert "You are banned: Advertising &lt;b&gt;again&lt;/b&gt;" in text
    assert not laptop.is_signed_in and not phone.is_signed_in
    bob.unban(mallory)
    assert not laptop.is_signed_in  # an old session does not come to life again
    assert Browser(bob).is_signed_in


def test_the_banned_learn_why_at_the_door_and_only_with_the_right_password(bob, mallory):
    bob.ban(mallory, "Advertising")
    browser = Browser()
    wrong = browser.sign_in("bob", "wrong")
    assert wrong.status_code == 200 and b"Advertising" not in wrong.content
    right = browser.sign_in("bob")
    assert right.status_code == 403 and b"You are banned: Advertising" in right.content
    assert not browser.is_signed_in
    assert browser.get("/people/bob/").status_code == 404


def test_a_person_signed_in_as_somebody_else_does_not_learn_why(bob, carol, mallory):
    socket = Browser(bob).listen()
    stranger = Browser(carol)
    bob.ban(mallory, "Advertising")
    socket.viewer = stranger.listen().viewer
    text, code = socket.farewell
    assert code == 4401 and "You are signed in as carol now" in text and "Advertising" not in text


def test_a_ban_needs_a_reason(bob, mallory):
    with pytest.raises(Refused):
        bob.ban(mallory, " \n ")
    assert Person.objects.get(pk=bob.pk).is_active


def test_who_may_ban_whom(person, bob, carol, mallory, root):
    editor, author = person("eve", "Editors"), person("alice", "Authors")
    assert bob.bannable_by(mallory) and bob.bannable_by(root) and mallory.bannable_by(root)
    assert editor.bannable_by(root)
    for by, victim in (
        *((one, carol) for one in (bob, editor, author)),
        *((mallory, one) for one in (editor, author, root, mallory)),
        (root, root),
    ):
        for verb in (lambda by, victim: victim.ban(by, "I can"), lambda by, victim: victim.unban(by)):
            with pytest.raises(PermissionDenied):
                verb(by, victim)
    assert not Person.objects.filter(is_active=False).exists()


def fields(client, person):
    form = client.get(f"{PEOPLE}{person.pk}/change/").context["adminform"].form
    return {name: value for name, value in form.initial.items() if value not in (None, False)}


def test_deactivating_in_the_admin_signs_out_and_activating_ends_a_ban(bob, mallory, root):
    admin, browser = Browser(root), Browser(bob)
    socket = browser.listen()
    form = fields(admin, bob)
    assert form.pop("is_active") is True
    assert admin.post(f"{PEOPLE}{bob.pk}/change/", form).status_code == 302
    assert "not active any more" in socket.farewell[0] and socket.farewell[1] == 4401
    assert socket.is_rung and not browser.is_signed_in
    assert b"not active any more" in Browser().sign_in("bob").content

    bob.ban(mallory, "Advertising")
    admin.post(f"{PEOPLE}{bob.pk}/change/", fields(admin, bob) | {"is_active": "on"})
    bob.refresh_from_db()
    assert bob.is_active and bob.banned_at is None and bob.ban_reason == ""


def test_nobody_deletes_rows_of_people(bob, root):
    admin = Browser(root)
    assert admin.post(f"{PEOPLE}{bob.pk}/delete/", {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [bob.pk], "post": "yes"}
    admin.post(PEOPLE, action)
    assert Person.objects.filter(pk=bob.pk).exists()

"""Rooms over HTTP: with and without htmx, for those who may and those who may not."""

import io
import json
import re
import zipfile
from datetime import timedelta
from urllib.parse import unquote
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from live.cursors import Cursor, cursors
from live.deltas import delta
from live.streams import find, name_of
from rooms.models import OPEN_ROOMS, Block, Message, MyRooms, Room

HTMX = {"HX-Request": "true"}


@pytest.fixture
def as_bob(client, bob):
    client.force_login(bob)
    return client


@pytest.fixture
def as_carol(carol):
    client = Client()
    client.force_login(carol)
    return client


def say(client, address, body, headers=None, **fields):
    return client.post(address, {"body": body, "key": uuid4(), **fields}, headers=headers)


def test_an_open_room_is_the_same_bytes_for_every_stranger(lobby, bob, client):
    lobby.say(bob, "hello")
    first, second = client.get("/rooms/the-lobby/"), Client().get("/rooms/the-lobby/")
    assert first.content == second.content and b"hello" in first.content
    assert not first.cookies and b"<form class" not in first.content.replace(b'<form class="languages"', b"")


def test_talking_editing_deleting_and_reporting_work_without_javascript(lobby, as_bob, carol):
    answer = say(as_bob, f"/rooms/{lobby.pk}/messages/", "hello")
    said = Message.objects.get()
    assert answer.status_code == 302 and answer.url == f"/rooms/the-lobby/#message-{said.pk}"
    assert "hello" in as_bob.get("/rooms/the-lobby/").content.decode()
    page = f"/rooms/messages/{said.pk}"
    assert 'name="body"' in as_bob.get(f"{page}/edit/").content.decode()
    assert as_bob.post(f"{page}/edit/", {"body": "hello all"}).url == f"/rooms/the-lobby/#message-{said.pk}"
    assert as_bob.post(f"{page}/delete/").url == "/rooms/the-lobby/"
    other = lobby.say(carol, "buy now")
    assert as_bob.post(f"/rooms/messages/{other.pk}/report/", {"reason": "advertising"}).status_code == 302
    assert other.reports.get().reason == "advertising"


def test_htmx_gets_the_next_line_to_write_in_and_what_the_page_misses(lobby, as_bob, carol):
    [before] = cursors(lobby)
    lobby.say(carol, "meanwhile")
    html = say(as_bob, f"/rooms/{lobby.pk}/messages/", "hello", HTMX, **{before.signed: before.tick}).content.decode()
    [line] = re.findall(r'id="next-line" hx-get="data:text/html;charset=utf-8,([^"]+)"', html)
    key = re.search(r'name="key" value="([^"]+)"', unquote(line))[1]
    assert 'value="" autofocus' in unquote(line)
    assert "meanwhile" in html and "hello" in html
    for body in ("one", "two", "one"):  # all typed before the first was answered, and the first sent again
        assert say(as_bob, f"/rooms/{lobby.pk}/messages/", body, HTMX, key=key).status_code == 200
    assert [message.body for message in lobby.messages.order_by("pk")][2:] == ["one", "two"]


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("long", [{}, {"long": "on"}])
def test_what_is_refused_stays_in_its_form(lobby, as_bob, settings, headers, long):
    for body, said in [("", "Write something first."), ("x" * 2001, "at most 2000 characters (yours has 2001)")]:
        answer = say(as_bob, f"/rooms/{lobby.pk}/messages/", body, headers, **long)
        html = answer.content.decode()
        assert answer.status_code == 422 and said in html and 'role="alert"' in html
        assert f"{'>' + chr(10) if long else 'value=' + chr(34)}{body}" in html
    settings.RATES_OF = {"line": {"person": [(1, 60)]}}
    say(as_bob, f"/rooms/{lobby.pk}/messages/", "one")
    answer = say(as_bob, f"/rooms/{lobby.pk}/messages/", "the second", headers, **long)
    assert answer.status_code == (422 if headers else 429) and 55 <= int(answer["Retry-After"]) <= 60
    assert "the second" in answer.content.decode() and 'role="alert"' in answer.content.decode()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_edit_too_many_is_refused_with_the_time_to_wait_and_the_text_kept(lobby, as_bob, bob, settings, headers):
    settings.RATES_OF = {"edit": {"person": [(1, 60)]}}
    said = lobby.say(bob, "helo")
    said.revise(bob, "hello", "127.0.0.1")
    answer = as_bob.post(f"/rooms/messages/{said.pk}/edit/", {"body": "hello all"}, headers=headers)
    assert answer.status_code == (422 if headers else 429) and 55 <= int(answer["Retry-After"]) <= 60
    html = answer.content.decode()
    assert "hello all" in html and f"You have done this too often. Try again in {answer['Retry-After']} s." in html


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_choice_too_many_is_answered_with_the_time_to_wait(den, client, bob, settings, headers):
    settings.RATES_OF = {"subscription": {"person": [(1, 60)]}}
    client.force_login(bob)
    answers = [
        client.post(f"/rooms/{den.pk}/involvement/", {"involvement": involvement}, headers=headers)
        for involvement in ("everything", "nothing")
    ]
    assert [answer.status_code for answer in answers] == [302, 429] and answers[1]["Retry-After"]
    assert "You have done this too often" in answers[1].content.decode()
    assert den.memberships.get(person=bob).involvement == "everything"


def test_older_lines_come_in_their_order_up_to_what_a_page_holds(lobby, as_bob, bob, settings):
    settings.MESSAGES_AT_FIRST, settings.MESSAGES_IN_PAGE = 2, 5
    said = [lobby.say(bob, f"line {n}").pk for n in range(9)]
    html = as_bob.get("/rooms/the-lobby/").content.decode()
    assert re.findall(r'id="message-(\d+)"', html) == [str(pk) for pk in said[-2:]]
    assert f'id="older-{said[-2]}"' in html
    answer = as_bob.get(f"/rooms/{lobby.pk}/messages/?before={said[-2]}", headers=HTMX).content.decode()
    assert re.findall(r'id="message-(\d+)"', answer) == [str(pk) for pk in said[-4:-2]]
    answer = as_bob.get(f"/rooms/{lobby.pk}/messages/?before={said[-4]}", headers=HTMX).content.decode()
    assert re.findall(r'id="message-(\d+)"', answer) == [str(said[-5])] and "id=older" not in answer
    earlier = as_bob.get(f"/rooms/the-lobby/?before={said[-5]}").content.decode()
    assert re.findall(r'id="message-(\d+)"', earlier) == [str(pk) for pk in said[:-5]]


def test_the_unread_line_stands_where_bob_stopped_reading(lobby, as_bob, bob, carol):
    lobby.say(bob, "mine")
    first = lobby.say(carol, "new to bob")
    html = as_bob.get("/rooms/the-lobby/").content.decode()
    assert html.index("mine") < html.index('id="unread-line"') < html.index("new to bob")
    assert 'class="room-row unread"' in as_bob.get("/rooms/").content.decode()
    answer = as_bob.post(f"/rooms/{lobby.pk}/read/", {"upto": first.pk}, headers=HTMX).content.decode()
    assert f'data-key="{first.pk}.5"' in answer
    assert 'id="unread-line"' not in as_bob.get("/rooms/the-lobby/").content.decode()
    assert 'class="room-row unread"' not in as_bob.get("/rooms/").content.decode()


def test_a_conversation_from_its_first_word(as_bob, as_carol, bob, carol):
    assert "Nobody has said" in as_bob.get("/messages/carol/").content.decode()
    handle = f"conversation-started-{min(bob.pk, carol.pk)}-{max(bob.pk, carol.pk)}"
    assert handle in as_carol.get("/messages/bob/").content.decode() and not Room.objects.exists()
    html = say(as_bob, "/messages/carol/", "psst", HTMX).content.decode()
    for part in ("#messages:not(", '#end-marker"', '#live"', '#next-line"'):
        assert f'hx-target="{part}' in html
    room = Room.objects.get()
    assert "psst" in html and Cursor(name_of(room), 0).signed in html
    assert handle in delta(find(name_of(MyRooms(carol.pk))), 0)[0]
    assert "psst" in as_carol.get("/messages/bob/").content.decode()
    assert 'class="room-row unread"' in as_carol.get("/messages/").content.decode()
    assert as_carol.post("/messages/bob/block/").status_code == 302 and Block.objects.get().whom == bob
    refused = say(as_bob, "/messages/carol/", "still there?")
    assert refused.status_code == 422 and "does not accept messages from you." in refused.content.decode()
    assert 'value="still there?"' in refused.content.decode()


def test_who_leaves_a_conversation_hears_nothing_of_it_and_may_come_back(as_bob, as_carol, bob, carol, alice):
    room = Room.write(alice, [bob, carol], "all three").room
    assert as_carol.post("/messages/alice,bob/leave/", {"left": "yes"}).url == "/messages/"
    assert "all three" not in as_carol.get("/messages/").content.decode()
    page = as_carol.get("/messages/alice,bob/").content.decode()
    assert "You have left this conversation." in page and "all three" not in page
    assert say(as_carol, "/messages/alice,bob/", "from outside").content.decode().count("You have left") == 1
    since = cursors(room, MyRooms(carol.pk))
    assert "carol has left." in as_bob.get("/messages/alice,carol/").content.decode()
    assert say(as_bob, "/messages/alice,carol/", "now that she is gone").status_code == 302
    assert cursors(room, MyRooms(carol.pk))[1] == since[1]
    assert "carol" in delta(find(name_of(room)), since[0].tick)[0]
    assert as_carol.post("/messages/alice,bob/leave/", {"left": "no"}).url == "/messages/alice,bob/"
    assert "now that she is gone" in as_carol.get("/messages/alice,bob/").content.decode()
    assert "carol has left." not in as_bob.get("/messages/alice,carol/").content.decode()
    Room.write(bob, [carol], "only us")
    assert as_carol.post("/messages/bob/leave/", {"left": "yes"}).status_code == 404


def test_messages_to_a_deleted_account_can_still_be_read(as_bob, bob, carol, alice, mallory):
    Room.write(bob, [carol], "hello carol")
    Room.write(bob, [alice, carol], "hello both")
    carol.ban(mallory, "spam")
    assert "hello carol" in as_bob.get("/messages/carol/").content.decode()
    refused = say(as_bob, "/messages/carol/", "are you there?", HTMX)
    assert refused.status_code == 422 and "There is nobody left to read this." in refused.content.decode()
    assert say(as_bob, "/messages/alice,carol/", "alice is").status_code == 302
    assert as_bob.get("/messages/carol,mallory/").status_code == 404


def test_whom_to_write_to_is_asked_by_name(as_bob, carol, alice):
    assert as_bob.post("/messages/", {"people": "@carol, alice"}).url == "/messages/carol,alice/"
    answer = as_bob.post("/messages/", {"people": "nobody"})
    assert answer.status_code == 422 and "nobody of that name" in answer.content.decode()
    assert as_bob.get("/messages/bob/").status_code == 404


def test_strangers_find_no_trace(den, alice, bob, as_carol, client):
    secret = [den.say(alice, "the marker"), Room.write(alice, [bob], "the marker")]
    private = secret[1].room
    for stranger in (as_carol, client):
        for address in ("/rooms/the-den/", f"/rooms/{den.pk}/messages/", f"/rooms/{private.pk}/messages/?before=99"):
            assert stranger.get(address, headers=HTMX).status_code == 404
            assert b"the marker" not in stranger.get("/").content + stranger.get("/rooms/").content
    for message in secret:
        for verb in ("edit", "delete", "report"):
            assert (
                as_carol.post(f"/rooms/messages/{message.pk}/{verb}/", {"body": "x", "reason": "x"}).status_code == 404
            )
        for verb, status in (("messages", 404), ("read", 204), ("involvement", 404)):
            address = f"/rooms/{message.room_id}/{verb}/"
            assert as_carol.post(address, {"body": "x", "involvement": "everything"}).status_code == status
    assert b"the marker" not in as_carol.get("/messages/alice/").content + as_carol.get("/messages/bob/").content
    assert as_carol.get("/rooms/None/").status_code == 404
    assert Message.objects.filter(removed_at=None).count() == 2
    assert client.get("/messages/alice/").status_code == 302


def test_a_form_that_got_old_comes_back_fresh_with_its_text(lobby, bob, alice):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(bob)
    Room.write(alice, [bob], "hello")
    for address in (f"/rooms/{lobby.pk}/messages/", "/messages/alice/"):
        for headers in ({}, HTMX):
            answer = say(browser, address, "what I typed", headers, csrfmiddlewaretoken="old")
            html = answer.content.decode()
            assert answer.status_code == (422 if headers else 403)
            assert "open for too long" in html and 'value="what I typed"' in html
            assert "<main" not in html or not headers
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', html)[1]
        assert say(browser, address, "what I typed", HTMX, csrfmiddlewaretoken=token).status_code == 200
    said = lobby.messages.get()
    old = browser.post(f"/rooms/messages/{said.pk}/edit/", {"body": "what I meant"}, headers=HTMX)
    assert (
        old.status_code == 422
        and "open for too long" in old.content.decode()
        and "what I meant" in old.content.decode()
    )
    said.refresh_from_db()
    assert said.body == "what I typed"
    old = browser.post(f"/rooms/{lobby.pk}/involvement/", {"involvement": "nothing"}, headers=HTMX)
    assert old.status_code == 403 and old["HX-Reswap"] == "none" and 'id="notice"' in old.content.decode()


def test_to_htmx_what_is_missing_or_forbidden_is_a_notice_and_the_page_stays(as_bob, den, alice, bob, carol):
    den.memberships.get(person=bob).leave()
    answer = say(as_bob, f"/rooms/{den.pk}/messages/", "x", HTMX)
    assert answer.status_code == 404 and answer["HX-Reswap"] == "none"
    assert 'hx-target="#notice"' in answer.content.decode() and "<main" not in answer.content.decode()
    Room.write(alice, [bob, carol], "all three")
    as_bob.post("/messages/alice,carol/leave/", {"left": "yes"})
    answer = say(as_bob, "/messages/alice,carol/", "x", HTMX)
    assert answer.status_code == 403 and answer["HX-Reswap"] == "none" and "You have left" in answer.content.decode()
    answer = say(as_bob, "/messages/alice,carol/", "what I typed")
    assert answer.status_code == 403 and "what I typed" in answer.content.decode()


def test_a_page_older_than_its_conversation_gets_what_it_lacks(as_bob, alice, bob):
    [before] = cursors(bob)
    Room.write(alice, [bob], "I was first")  # while bob's page was open
    html = say(as_bob, "/messages/alice/", "no, I", HTMX, **{before.signed: before.tick}).content.decode()
    assert "I was first" in html and "no, I" in html
    assert f'name="{before.signed}" value="{before.tick}"' in html  # of what else happened the socket still tells


def test_what_is_too_big_is_a_notice_and_the_page_stays(as_bob, lobby, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = say(as_bob, f"/rooms/{lobby.pk}/messages/", "x" * 2000, HTMX)
    assert answer.status_code == 400 and answer["HX-Reswap"] == "none" and "too long" in answer.content.decode()


def test_the_same_attempt_in_another_room_is_another_one(as_bob, lobby, den):
    key = uuid4()
    for room in (lobby, den, lobby, den):
        assert say(as_bob, f"/rooms/{room.pk}/messages/", "hello", key=key).status_code == 302
    assert Message.objects.count() == 2


def test_what_is_too_late_is_said_before_writing(as_bob, lobby, bob):
    said = lobby.say(bob, "long ago")
    Message.objects.filter(pk=said.pk).update(created_at=timezone.now() - timedelta(minutes=16))
    for verb in ("edit", "delete"):
        form = as_bob.get(f"/rooms/messages/{said.pk}/{verb}/", headers=HTMX).content.decode()
        assert f"The time to {verb} this message has passed." in form and "<textarea" not in form
    young = lobby.say(bob, "just now")
    lobby.archived = True
    lobby.revise()
    assert "This room is closed." in as_bob.get(f"/rooms/messages/{young.pk}/edit/").content.decode()
    assert as_bob.post(f"/rooms/messages/{young.pk}/delete/").status_code == 302


def test_the_list_and_the_head_of_a_room_follow_its_editors(lobby, den, alice):
    [before, here] = cursors(OPEN_ROOMS, lobby)
    lobby.name, lobby.topic = "The porch", "Wind & <weather>"
    lobby.revise()
    den.topic = "the marker"
    den.revise()
    listed, shown = (delta(find(one.name), one.tick)[0] for one in (before, here))
    assert f'hx-target="#room-{lobby.pk}-name" hx-swap="textContent">The porch<' in listed
    assert "Wind &amp; &lt;weather&gt;" in listed and "the marker" not in listed
    assert 'hx-target="#room-name" hx-swap="textContent">The porch<' in shown
    Room(name="Brand new").revise()
    assert 'hx-upsert hx-target="#rooms:not(:has(' in delta(find(before.name), before.tick)[0]
    lobby.kind = Room.Kind.MEMBERS
    lobby.revise()
    assert f'hx-target="#room-{lobby.pk}" hx-swap="delete"' in delta(find(before.name), before.tick)[0]
    [closed] = cursors(OPEN_ROOMS)
    lobby.kind = Room.Kind.OPEN
    lobby.revise()
    assert f'<li id="room-{lobby.pk}"' in delta(find(closed.name), closed.tick)[0]


def test_without_a_script_a_room_is_marked_as_read_by_a_button(as_bob, bob, den, alice):
    den.say(alice, "news")
    page = as_bob.get("/rooms/the-den/").content.decode()
    assert re.search(
        rf'<noscript><form method="post" action="/rooms/{den.pk}/read/">.*value="{den.last}"', page, re.DOTALL
    )
    assert as_bob.post(f"/rooms/{den.pk}/read/", {"upto": den.last}).url == "/rooms/the-den/"
    assert "<noscript>" not in as_bob.get("/rooms/the-den/").content.decode()
    assert 'class="room-row unread"' not in as_bob.get("/rooms/").content.decode()


def test_an_export_holds_bobs_words_and_not_the_answers(as_bob, alice, bob, carol):
    Room.write(bob, [alice], "a word of mine")
    Room.write(alice, [bob], "the marker")
    Room.write(alice, [carol], "the marker")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(as_bob.get("/accounts/export/").streaming_content)))
    files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert [said["text"] for said in json.loads(files["messages.json"])] == ["a word of mine"]
    assert not any("the marker" in text for text in files.values())


def test_an_export_does_not_name_rooms_that_bob_was_removed_from(den, as_bob, bob):
    den.say(bob, "a word of mine")

    def told():
        archive = zipfile.ZipFile(io.BytesIO(as_bob.get("/accounts/export/").getvalue()))
        [message] = json.loads(archive.read("messages.json"))
        return message["in"], message["text"]

    assert told() == ("The den", "a word of mine")
    den.memberships.get(person=bob).leave()
    assert told() == ("", "a word of mine")


def test_a_member_says_of_how_much_they_want_to_hear(den, as_bob, bob):
    assert as_bob.post(f"/rooms/{den.pk}/involvement/", {"involvement": "nothing"}).url == "/rooms/the-den/"
    assert den.memberships.get(person=bob).involvement == "nothing"
    assert as_bob.post(f"/rooms/{den.pk}/involvement/", {"involvement": "gossip"}).status_code == 404


def test_who_is_taken_out_in_the_admin_is_out_and_may_come_back(den, alice, bob, person):
    boss = person("boss", "Editors")
    editor = Client()
    editor.force_login(boss)
    rows = {"memberships-TOTAL_FORMS": 2, "memberships-INITIAL_FORMS": 2, "name": "The den", "slug": "the-den"}
    for n, one in enumerate((alice, bob)):
        membership = den.memberships.get(person=one)
        rows |= {f"memberships-{n}-id": membership.pk, f"memberships-{n}-room": den.pk}
        rows |= {f"memberships-{n}-person": one.username, f"memberships-{n}-involvement": "mentions"}
    address = f"/admin/rooms/room/{den.pk}/change/"
    out = editor.post(address, rows | {"kind": "members", "memberships-1-DELETE": "on"})
    assert out.status_code == 302, out.content.decode()
    assert den.readable_by(alice) and not den.readable_by(bob)
    rows |= {"memberships-INITIAL_FORMS": 1, "memberships-1-id": ""}
    back = editor.post(address, rows | {"kind": "members"})
    assert back.status_code == 302, re.findall(r"errorlist.*", back.content.decode())
    assert den.readable_by(bob)
    assert editor.post(address, rows | {"kind": "direct"}).status_code == 200


def test_every_address_of_ours_is_tried_above():
    """A new route must be thought of here."""
    ours = {pattern.name for pattern in get_resolver("rooms.urls").url_patterns}
    assert ours == {
        *("rooms", "room", "messages", "read-room", "involvement", "conversations", "conversation"),
        *("leave", "block", "message", "edit-message", "delete-message", "report-message"),
        *("message-menu", "remove-message", "restore-message", "keep-message", "ban-message"),
    }

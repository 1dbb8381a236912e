"""Moderation of lines in rooms and of private messages: as of comments, but nobody reads private talk."""

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from inbox.models import Notification
from live import fragments
from live.cursors import cursors
from live.deltas import delta
from live.streams import find, name_of
from moderation.models import QUEUE, Purge, Report
from moderation.models.purge import BATCH, purge_due
from moderation.tests.conftest import CLIENT_INFO, browser_of
from people.models import Person
from people.rates import TooFast
from people.rules import Refused
from rooms.models import Message, MyRooms, Room
from rooms.models.room import mark_unread

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/rooms/the-lobby/"}


def history(message):
    """Oldest first: what was decided, and by whom."""
    return [(action.kind, action.by.username, action.reason) for action in message.actions.order_by("pk")]


def told(person):
    """What stands unread in the inbox of ``person``, oldest first."""
    return [row.sentence for row in Notification.objects.unread().filter(person=person).order_by("pk")]


def refusal(function, *arguments):
    with pytest.raises(Refused) as caught:
        function(*arguments)
    return caught.value.messages[0]


def missed(thing, cursor):
    """What a page at ``cursor`` is told of the stream of ``thing``."""
    return delta(find(name_of(thing)), cursor.tick)[0]


def shown(room):
    return [message.body for message in room.messages.visible().order_by("pk")]


# Reports


def test_everybody_reports_a_line_once_and_the_queue_hears_of_it(lobby, bob, carol, mallory):
    message = lobby.say(bob, "buy now")
    [before] = cursors(QUEUE)
    assert refusal(message.report, carol, " ") == "Say what is wrong with it."
    message.report(carol, " adver\0tising\r\n of \n pills", CLIENT_INFO)
    assert message.reports.get().reason == "advertising of pills"
    assert refusal(message.report, carol, "still") == "You have reported this already. Thank you."
    assert refusal(message.report, bob, "it is mine") == "This is your own."
    assert 'hx-target="#queue-reported" hx-swap="textContent">1<' in missed(QUEUE, before)
    message.keep(mallory)
    message.keep(mallory)
    assert 'hx-target="#queue-reported" hx-swap="textContent">0<' in missed(QUEUE, before)
    assert history(message) == [("kept", "mallory", "")]
    report = message.reports.get()
    assert report.settled_by == mallory and report.settled_at


def test_comments_and_lines_are_counted_together_in_the_queue_and_under_one_rate(post, lobby, bob, carol, settings):
    settings.RATES_OF = {"report": {"person": [(2, 60)]}}
    [before] = cursors(QUEUE)
    lobby.say(bob, "one").report(carol, "rude", CLIENT_INFO)
    post.comment(bob, "two").report(carol, "rude", CLIENT_INFO)
    assert 'hx-target="#queue-reported" hx-swap="textContent">2<' in missed(QUEUE, before)
    message = lobby.say(bob, "three")
    with pytest.raises(TooFast):
        message.report(carol, "rude", CLIENT_INFO)
    answer = browser_of(carol).post(f"/rooms/messages/{message.pk}/report/", {"reason": "no, no"}, headers=HTMX)
    assert answer.status_code == 422 and 0 < int(answer["Retry-After"]) <= 60
    assert "no, no" in answer.content.decode()
    assert Report.objects.count() == 2


def test_a_report_is_settled_when_its_line_goes(lobby, bob, carol, mallory, alice):
    for remover, *reason in ((bob,), (mallory, "advertising")):
        message = lobby.say(bob, f"for {remover}")
        message.report(carol, "advertising")
        message.remove(remover, *reason)
        assert message.reports.get().settled_by == remover
    message = lobby.say(alice, "goodbye")
    message.report(carol, "rude")
    message.erase()
    assert not Report.objects.open().exists() and message.body == ""


# Removing and restoring


def test_a_moderator_removes_a_line_with_a_reason_that_its_author_is_told(lobby, bob, carol, mallory):
    message = lobby.say(bob, "buy now")
    assert refusal(message.remove, mallory, " ") == "Say why you remove it."
    with pytest.raises(PermissionDenied):
        message.remove(carol, "I do not like it")
    message.remove(mallory, "<b>advertising</b>")
    message.remove(mallory, "once more")
    assert shown(lobby) == []
    assert history(message) == [("removed", "mallory", "<b>advertising</b>")]
    assert told(bob) == ["A moderator removed your message in The lobby: <b>advertising</b>"]
    page = browser_of(bob).get("/inbox/").content.decode()
    assert "A moderator removed your message in The lobby: &lt;b&gt;advertising&lt;/b&gt;" in page
    own = lobby.say(bob, "never mind")
    own.remove(bob)
    assert len(told(bob)) == 1


def test_a_line_that_is_put_back_comes_to_its_place_and_is_told_of_again(lobby, bob, carol, mallory):
    lobby.say(carol, "before")
    message = lobby.say(bob, "hello @carol")
    after = lobby.say(bob, "after")
    assert not after.opens_turn
    message.remove(mallory, "a mistake")
    after.refresh_from_db()
    assert after.opens_turn and told(carol) == []
    [before] = cursors(lobby)
    message.restore(mallory)
    message.restore(mallory)
    text = missed(lobby, before)
    assert f'id="message-{message.pk}"' in text and f'hx-target="#message-{after.pk}-body"' in text
    after.refresh_from_db()
    assert message.opens_turn and not after.opens_turn
    assert shown(lobby) == ["before", "hello @carol", "after"]
    assert told(carol) == ["bob mentioned you in The lobby"]
    assert told(bob)[1:] == ["A moderator restored your message in The lobby"]
    assert [kind for kind, *_ in history(message)] == ["removed", "restored"]


def test_the_newest_line_put_back_is_the_newest_again_and_unread(lobby, bob, carol, mallory):
    lobby.admit(carol)
    lobby.say(bob, "one")
    message = lobby.say(bob, "two")
    mark_unread()
    message.remove(mallory, "a mistake")
    lobby.refresh_from_db()
    member = lobby.memberships.get(person=carol)
    member.read_up_to(lobby.last)
    mark_unread()
    message.restore(mallory)
    lobby.refresh_from_db()
    assert lobby.last == message.pk
    [before] = cursors(MyRooms(carol.pk))
    mark_unread()
    member.refresh_from_db()
    assert member.marked and missed(MyRooms(carol.pk), before)


def test_a_line_put_back_among_older_ones_than_a_page_holds_is_shown_on_their_page_alone(lobby, bob, mallory, settings):
    settings.MESSAGES_IN_PAGE = 3
    message, *_ = [lobby.say(bob, f"line {n}") for n in range(5)]
    message.remove(mallory, "a mistake")
    [before] = cursors(lobby)
    message.restore(mallory)
    text, drop = missed(lobby, before), fragments.remove_unless_typed(f"#messages > #message-{message.pk}")
    assert text.index(f'id="message-{message.pk}"') < text.index(drop) and 'id="announced-line"' not in text
    assert shown(lobby)[0] == "line 0"


def test_what_its_author_deleted_stays_deleted(lobby, bob, mallory):
    message = lobby.say(bob, "hello")
    message.remove(bob)
    assert refusal(message.restore, mallory) == "Its author deleted it."


def test_others_decide_nothing(lobby, bob, carol):
    message = lobby.say(bob, "hello")
    for person in (bob, carol):
        for verb, *reason in [("restore",), ("keep",), ("ban_author", "x")]:
            with pytest.raises(PermissionDenied):
                getattr(message, verb)(person, *reason)
    assert shown(lobby) == ["hello"] and not message.actions.exists()


# Private talk


def test_moderators_decide_about_private_talk_only_if_it_was_reported(den, alice, bob, mallory):
    for message in (Room.write(alice, [bob], "in private"), den.say(alice, "among us")):
        for verb, *reason in [("remove", "rude"), ("keep",), ("ban_author", "rude")]:
            with pytest.raises(PermissionDenied):
                getattr(message, verb)(mallory, *reason)
        message.report(bob, "rude")
        message.remove(mallory, "rude")
        assert message.removed_at
    den.admit(mallory)
    den.say(alice, "a moderator is here").remove(mallory, "rude")
    assert told(alice) == [
        f"A moderator removed your message in {name}: rude" for name in ("Conversation", "The den")
    ] + ["A moderator removed your message in The den: rude"]


def test_moderators_see_of_private_talk_what_was_reported_and_nothing_around_it(alice, bob, carol, as_mallory):
    Room.write(alice, [bob], "another matter")
    message = Room.write(alice, [bob], "the marker")
    Room.write(alice, [carol], "another matter")
    menu, reports = f"/rooms/messages/{message.pk}/menu/", "/admin/moderation/report/"
    for address in (menu, reports, "/admin/rooms/message/", f"/admin/rooms/message/{message.pk}/change/"):
        assert b"the marker" not in as_mallory.get(address).content
    message.report(bob, "rude")
    report = message.reports.get()
    for address in (menu, reports, f"{reports}{report.pk}/change/"):
        page = as_mallory.get(address).content
        assert b"the marker" in page and b"another matter" not in page
    for address in ("/admin/rooms/message/", "/admin/rooms/room/", "/admin/moderation/action/"):
        assert b"the marker" not in as_mallory.get(address).content
    answer = as_mallory.post(f"/rooms/messages/{message.pk}/remove/", {"reason": "rude"}, follow=True)
    assert "removed (rude)" in " ".join(answer.content.decode().split())
    assert shown(message.room) == ["another matter"]
    assert b"the marker" in as_mallory.get("/admin/moderation/action/").content


# Bans


def test_a_ban_with_a_purge_ends_the_account_and_all_that_it_said(post, lobby, den, bob, carol, mallory):
    message, private = lobby.say(bob, "spam"), Room.write(bob, [carol], "spam in private")
    said = [message, private, den.say(bob, "spam for members"), post.comment(bob, "spam below")]
    other = lobby.say(carol, "really?")
    assert refusal(message.ban_author, mallory, "") == "Say why you ban this person."
    message.ban_author(mallory, "spam", purge=True)
    bob.refresh_from_db()
    assert not bob.is_active and bob.ban_reason == "spam"
    for target in said:
        target.refresh_from_db()
        assert target.is_removed and (target.removed_by, target.reason) == (mallory, "spam")
    assert shown(lobby) == ["really?"] and ("banned", "mallory", "spam") in history(message)
    other.refresh_from_db()
    assert other.opens_turn and other.opens_day
    actions = browser_of(mallory).get("/admin/moderation/action/").content.decode()
    assert "spam below" in actions and "spam in private" not in actions and "spam for members" not in actions


def test_what_one_deletes_in_private_is_in_no_list_of_moderators(lobby, den, alice, bob, as_mallory):
    for message in (lobby.say(bob, "in public"), Room.write(bob, [alice], "in private"), den.say(bob, "for members")):
        message.remove(bob)
    for query in ("", "?q=private", "?q=members"):
        page = as_mallory.get(f"/admin/moderation/action/{query}").content.decode()
        assert "in private" not in page and "for members" not in page
    assert "in public" in as_mallory.get("/admin/moderation/action/").content.decode()


def test_a_ban_alone_leaves_the_lines(lobby, bob, mallory):
    message = lobby.say(bob, "hello")
    message.ban_author(mallory, "rude elsewhere")
    assert shown(lobby) == ["hello"] and not Purge.objects.exists()


def test_moderators_ban_neither_the_staff_nor_themselves(lobby, alice, mallory):
    for author in (alice, mallory):
        message = lobby.say(author, f"I am {author}")
        assert refusal(message.ban_author, mallory, "why not", True) == "You may not ban this person."
    assert len(shown(lobby)) == 2


def test_a_large_purge_goes_through_comments_and_lines_and_ends_with_the_moderator(post, lobby, bob, mallory):
    said = [post.comment(bob, "spam")] + [lobby.say(bob, f"spam {n}") for n in range(BATCH + 5)]
    said[0].ban_author(mallory, "spam", purge=True)
    assert Message.objects.visible().count() == 6
    later = lobby.say(bob, "back again")
    purge_due()
    assert shown(lobby) == ["back again"] and not Purge.objects.filter(done_at=None).exists()
    Purge.objects.create(person=bob, by=mallory, reason="spam")
    mallory.groups.clear()
    purge_due()
    assert shown(lobby) == ["back again"] and not Purge.objects.filter(done_at=None).exists()
    assert later.actions.count() == 0


# In place


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_reader_reports_a_line_in_place(lobby, bob, carol, client, headers):
    message = lobby.say(bob, "buy now")
    address = f"/rooms/messages/{message.pk}/report/"
    assert client.get(address).url.startswith("/accounts/login/")
    client.force_login(carol)
    assert "What is wrong with it?" in client.get(address, headers=headers).content.decode()
    assert client.post(address, {"reason": " "}, headers=headers).status_code == 422
    answer = client.post(address, {"reason": "advertising"}, headers=headers, follow=True)
    assert "Thank you. A moderator will look at it." in answer.content.decode()
    again = client.post(address, {"reason": "I said so"}, headers=headers)
    assert again.status_code == 422 and "You have reported this already." in again.content.decode()
    assert message.reports.get().reason == "advertising"


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_moderator_decides_about_a_line_in_place(lobby, bob, carol, as_mallory, headers):
    message = lobby.say(bob, "buy now")
    message.report(carol, "adver<b>tising</b>")
    address = f"/rooms/messages/{message.pk}/"
    menu = as_mallory.get(f"{address}menu/", headers=headers).content.decode()
    assert f"{address}keep/" in menu and f"{address}remove/" in menu and f"{address}ban/" in menu
    assert "adver&lt;b&gt;tising" in menu and "carol" in menu and "approve" not in menu
    assert ("hx-post" in menu) == bool(headers)  # where there is no slot below it the form is a plain one
    answer = as_mallory.post(f"{address}remove/", {"reason": ""}, headers=headers)
    assert answer.status_code == 422 and "Say why you remove it." in answer.content.decode()
    answer = as_mallory.post(f"{address}remove/", {"reason": "advertising"}, headers=headers)
    assert answer.status_code == (200 if headers else 302) and shown(lobby) == []
    if headers:
        assert f'hx-target="#message-{message.pk}:not({fragments.TYPED})" hx-swap="delete"' in answer.content.decode()
    menu = as_mallory.get(f"{address}menu/", headers=headers).content.decode()
    assert f"{address}restore/" in menu and "removed (advertising)" in " ".join(menu.split())
    as_mallory.post(f"{address}restore/", headers=headers)
    assert shown(lobby) == ["buy now"]
    answer = as_mallory.post(f"{address}ban/", {"reason": "", "purge": "on"}, headers=headers)
    assert answer.status_code == 422 and "checked" in answer.content.decode()
    as_mallory.post(f"{address}ban/", {"reason": "spam", "purge": "on"}, headers=headers)
    assert shown(lobby) == [] and not Person.objects.get(pk=bob.pk).is_active


def test_the_menu_is_offered_in_rooms_and_not_in_conversations(lobby, alice, bob, as_mallory):
    message, private = lobby.say(bob, "hello"), Room.write(alice, [bob], "hello")
    assert f'id="menu-{message.pk}"' in Client().get("/rooms/the-lobby/").content.decode()
    page = browser_of(alice).get("/messages/bob/").content.decode()
    assert f'id="report-{private.pk}"' in page and f'id="menu-{private.pk}"' not in page
    assert "moderation.css" in as_mallory.get("/rooms/the-lobby/").content.decode()
    for person in (alice, bob):
        assert browser_of(person).get(f"/rooms/messages/{message.pk}/menu/").status_code == 404

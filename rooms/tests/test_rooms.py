"""What people may say in rooms, and what becomes of it."""

from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from parley.settings import RATES_OF

from live import fragments
from live.cursors import cursors
from live.deltas import delta
from live.models import Lease
from live.presence import rows
from live.streams import find, name_of
from live.viewers import Viewer, people_of
from people.rates import RateLimit, TooFast
from people.rules import Closed, Refused
from rooms.models import Block, Membership, Message, MyRooms, Room
from rooms.models.room import mark_unread

HERE = "192.0.2.1"


def aged(message, **age):
    """Make ``message`` as old as ``age`` (of timedelta)."""
    Message.objects.filter(pk=message.pk).update(created_at=timezone.now() - timedelta(**age))
    message.refresh_from_db()
    return message


def refusal(function, *arguments, kind=Refused):
    with pytest.raises(kind) as caught:
        function(*arguments)
    return caught.value.messages[0]


def told(thing, since=0):
    return delta(find(name_of(thing)), since)[0]


def test_what_is_said_stands_as_written_and_once(lobby, bob):
    key = uuid4()
    said = [lobby.say(bob, "  Hello *there*\r\n", key) for _ in range(5)]
    assert {one.pk for one in said} == {Message.objects.get().pk}
    assert (said[0].body, said[0].html) == ("Hello *there*", "<p>Hello <em>there</em></p>\n")


def test_lengths_and_silence_are_refused(lobby, bob):
    assert refusal(lobby.say, bob, "x" * 2001) == "Messages can have at most 2000 characters (yours has 2001)."
    assert refusal(lobby.say, bob, " \n") == "Write something first."
    assert lobby.say(bob, "字" * 2000)


def later(seconds):
    """Let it be so many ``seconds`` later: what was done is longer ago."""
    for row in RateLimit.objects.all():
        row.times = [one - seconds for one in row.times]
        row.save()


def test_five_messages_in_five_seconds_and_no_more(lobby, den, bob, settings):
    settings.RATES_OF = RATES_OF
    key = uuid4()
    for n in range(4):
        (lobby if n % 2 else den).say(bob, f"line {n}", address=HERE)
    lobby.say(bob, "the fifth", key, HERE)
    said = refusal(lobby.say, bob, "one more", None, HERE, kind=TooFast)
    assert said == "Slow down: 5 s."
    with translation.override("zh-hans"):
        assert refusal(lobby.say, bob, "one more", None, HERE) == "太快了，5 秒后再试。"
    assert lobby.say(bob, "the fifth", key, HERE) == Message.objects.latest("pk")  # the same attempt
    later(5)
    assert lobby.say(bob, "one more", address=HERE)


def test_lines_in_all_rooms_count_together_over_minutes_too(lobby, den, bob, carol, settings):
    settings.RATES_OF = {"line": {"person": [(5, 5), (7, 300)]}}
    for n in range(7):
        (lobby if n % 2 else den).say(bob, f"line {n}", address=HERE)
        later(2)
    assert 280 < refused_for(lobby.say, bob, "one more", None, HERE) <= 300
    assert refused_for(Room.write, bob, [carol], "one more", None, HERE) and not Room.objects.private().exists()
    assert lobby.say(carol, "my first", address=HERE)


def refused_for(function, *arguments):
    """For how long (seconds) ``function`` is refused."""
    with pytest.raises(TooFast) as caught:
        function(*arguments)
    return caught.value.seconds


def test_a_line_that_is_refused_is_not_read_for_names(lobby, bob, carol, settings):
    settings.RATES_OF = {"line": {"person": [(1, 60)]}}
    lobby.say(bob, "hello", address=HERE)
    with CaptureQueriesContext(connection) as asked:
        refused_for(lobby.say, bob, "hello @carol", None, HERE)
    assert not [query for query in asked.captured_queries if "username" in query["sql"]]
    assert lobby.say(carol, "hello @bob").html.count("<a ") == 1


def test_edits_of_lines_and_comments_count_together(lobby, bob, carol, settings):
    settings.RATES_OF = {"edit": {"person": [(3, 30)]}}
    said = [lobby.say(bob, f"line {n}") for n in range(2)]
    for n in range(3):
        said[n % 2].revise(bob, f"edited {n}", HERE)
    [before] = cursors(lobby)
    assert refused_for(said[0].revise, bob, "too much", HERE) <= 30
    assert cursors(lobby) == [before] and not Message.objects.filter(body="too much").exists()
    lobby.say(carol, "mine").revise(carol, "still mine", HERE)


def test_edits_of_a_line_tell_no_more_people_than_one_text_names(lobby, bob, person):
    people = [person(f"p{n}") for n in range(14)]
    said = lobby.say(bob, f"hello @{people[0]}")
    for one in people[1:]:
        said.revise(bob, f"hello @{one}")
    assert sum(one.notifications.visible().count() for one in people) == 10


def test_deleting_again_tells_no_page(lobby, bob):
    said = lobby.say(bob, "hello")
    said.remove(bob)
    [before] = cursors(lobby)
    said.remove(bob)
    assert cursors(lobby) == [before]


def test_a_member_changes_their_mind_only_so_often(den, alice, settings):
    settings.RATES_OF = {"subscription": {"person": [(2, 60)]}}
    membership = den.memberships.get(person=alice)
    membership.listen("nothing", HERE)
    membership.listen("everything", HERE)
    assert refused_for(membership.listen, "nothing", HERE) and refused_for(membership.leave, HERE)
    membership.refresh_from_db()
    assert membership.involvement == "everything" and membership.left_at is None
    for _ in range(3):
        membership.leave()  # as an administrator takes somebody out


def test_bob_may_edit_and_delete_his_messages_for_fifteen_minutes(lobby, bob, carol):
    said = lobby.say(bob, "helo")
    said.revise(bob, "hello")
    assert said.html == "<p>hello</p>\n" and said.edited_at
    with pytest.raises(PermissionDenied):
        said.revise(carol, "mine now")
    with pytest.raises(PermissionDenied):
        said.remove(carol)
    aged(said, minutes=16)
    assert refusal(said.revise, bob, "too late") == "The time to edit this message has passed."
    assert refusal(said.remove, bob) == "The time to delete this message has passed."


def test_lines_show_where_days_and_turns_begin_and_pass_that_on_when_removed(lobby, bob, carol):
    first, second = aged(lobby.say(bob, "yesterday"), days=2), lobby.say(bob, "today")
    third, fourth = lobby.say(bob, "still me"), lobby.say(carol, "and me")
    assert [(one.opens_day, one.opens_turn) for one in (first, second, third, fourth)] == [
        (True, True),
        (True, True),
        (False, False),
        (False, True),
    ]
    [before] = cursors(lobby)
    second.remove(bob)
    third.refresh_from_db()
    assert (third.opens_day, third.opens_turn) == (True, True)
    html = told(lobby, before.tick)
    assert f"#message-{second.pk}" in html and f"#message-{third.pk}-body" in html


def test_a_closed_room_is_read_only(lobby, bob):
    lobby.archived = True
    lobby.revise()
    assert refusal(lobby.say, bob, "hello?", kind=Closed) == "This room is closed."
    assert "This room is closed." in told(lobby)


def test_what_is_said_while_a_room_is_edited_stays_counted(lobby, bob):
    edited = Room.objects.get(pk=lobby.pk)
    said = lobby.say(bob, "meanwhile")
    edited.topic = "New"
    edited.revise()
    assert Room.objects.get(pk=lobby.pk).last == said.pk


def test_only_members_read_and_write_where_it_is_for_members(lobby, den, bob, carol):
    assert lobby.readable_by(AnonymousUser()) and den.readable_by(bob)
    assert not den.readable_by(carol) and not den.readable_by(AnonymousUser())
    with pytest.raises(PermissionDenied):
        den.say(carol, "let me in")
    bob.is_superuser = True
    den.memberships.get(person=bob).leave()
    assert not den.readable_by(bob)
    den.admit(bob)
    assert den.readable_by(bob)


def test_a_page_gets_at_most_three_hundred_lines_and_the_older_fall_off(lobby, bob, settings):
    settings.MESSAGES_IN_PAGE = 5
    said = [lobby.say(bob, f"line {n}") for n in range(8)]
    [now] = cursors(lobby)
    html = told(lobby, now.tick - 2)
    assert html.count("<hx-upsert") == 2
    for departed in said[1:3]:
        assert f'hx-target="#messages &gt; #message-{departed.pk}:not({fragments.TYPED})" hx-swap="delete"' in html
    assert lobby.floor == said[3].pk and f"?before={said[3].pk}" in html


def test_the_list_is_marked_once_for_the_absent_and_cleared_by_reading(den, alice, bob):
    mine = den.memberships.get(person=alice)
    first = den.say(bob, "anybody?")
    mark_unread()
    [marked] = cursors(MyRooms(alice.pk))
    assert "unread" in told(MyRooms(alice.pk))
    den.say(bob, "hello?")
    mark_unread()
    assert cursors(MyRooms(alice.pk)) == [marked]
    mine.refresh_from_db()
    mine.read_up_to(first.pk)
    assert mine.__class__.objects.get(pk=mine.pk).is_unread
    mine.read_up_to(Message.objects.latest("pk").pk)
    assert "unread" not in told(MyRooms(alice.pk), marked.tick)
    mine.read_up_to(first.pk)
    assert not Membership.objects.get(pk=mine.pk).is_unread


def test_who_wants_to_hear_nothing_is_not_told(den, alice, bob):
    den.memberships.get(person=alice).listen("nothing")
    [before] = cursors(MyRooms(alice.pk))
    den.say(bob, "anybody?")
    mark_unread()
    assert cursors(MyRooms(alice.pk)) == [before]


def test_a_conversation_is_found_by_its_people_and_begins_with_its_first_message(alice, bob, carol):
    with pytest.raises(Refused):
        Room.write(alice, [bob], " ")
    assert not Room.objects.exists()
    first = Room.write(alice, [bob], "psst")
    assert Room.write(bob, [alice], "what?").room == first.room
    group = Room.write(carol, [bob, alice], "all three")
    assert group.room != first.room and Room.between(alice, [carol, bob]) == group.room
    assert "unread" in told(MyRooms(bob.pk)) and not told(MyRooms(carol.pk)).count("psst")
    assert not first.room.readable_by(carol)


def test_a_stranger_is_refused_by_the_stream_too(alice, bob, carol):
    room = Room.write(alice, [bob], "psst").room
    stream = find(name_of(room))
    assert stream.allows(bob) and not stream.allows(carol) and not stream.allows(AnonymousUser())
    assert not find(name_of(MyRooms(bob.pk))).allows(carol)


def test_who_joins_an_open_room_moves_their_own_list_and_no_page_of_the_room(lobby, alice):
    [before] = cursors(lobby)
    lobby.admit(alice)
    assert cursors(lobby) == [before] and "room-row" in told(MyRooms(alice.pk))


def test_however_many_listen_their_rights_cost_the_same(person, den, alice, bob, django_assert_num_queries):
    den.memberships.get(person=bob).leave()
    guests = [person(f"guest{n}") for n in range(20)]
    for guest in guests[:10]:
        den.admit(guest)
    guests[0].ban(person("mod", "Moderators"), "spam")
    everybody = {alice, bob, AnonymousUser(), *guests}
    viewers = {}
    for one in everybody:
        browser = Client()
        if one.is_authenticated and one.is_active:
            browser.force_login(one)
        viewers[Viewer(browser.session.session_key)] = one
    viewers |= {Viewer(): AnonymousUser(), Viewer("none"): AnonymousUser()}
    stream = find(name_of(den))
    with django_assert_num_queries(3):
        unread = people_of(viewers)
        allowed = stream.allowed(set(unread.values()))
    assert allowed == {alice, *guests[1:10]} == {one for one in everybody if stream.allows(one)}
    assert all(unread[viewer] == one for viewer, one in viewers.items() if one.is_active)


def test_new_accounts_the_blocked_and_the_busy_begin_no_conversation(person, alice, bob, settings):
    dora = person("dora", date_joined=timezone.now() - timedelta(hours=23))
    assert "too new" in refusal(Room.write, dora, [bob], "hi")
    Room.write(bob, [dora], "welcome")
    assert Room.write(dora, [bob], "thanks")
    Block.objects.create(by=bob, whom=alice)
    assert refusal(Room.write, alice, [bob], "hi") == "This person does not accept messages from you."
    Block.objects.create(by=bob, whom=dora)
    with translation.override("zh-hans"):
        assert refusal(Room.write, dora, [bob], "hi") == "对方暂不接收你的消息。"
    settings.RATES_OF = {"conversation": {"person": [(1, 24 * 3600)]}}
    Room.write(alice, [dora], "hello", None, HERE)
    erin = person("erin")
    assert "too many conversations today" in refusal(Room.write, alice, [erin], "hi", None, HERE, kind=TooFast)
    assert not Room.between(alice, [erin])
    assert Room.write(alice, [dora], "and on", None, HERE)


def test_no_accomplice_brings_together_whom_a_block_keeps_apart(alice, bob, carol, mallory):
    Block.objects.create(by=bob, whom=mallory)
    general = "Not all of these people accept messages from each other."
    assert refusal(Room.write, carol, [bob, mallory], "meet") == general  # the accomplice
    assert refusal(Room.write, mallory, [bob, carol], "hello, bob") == general
    assert refusal(Room.write, mallory, [bob], "hello, bob") == "This person does not accept messages from you."
    with translation.override("zh-hans"):
        assert refusal(Room.write, carol, [alice, mallory, bob], "meet") == "这些人并非都愿意接收彼此的消息。"
    assert not Room.objects.private().exists()
    assert Room.write(bob, [mallory, carol], "I begin it myself")
    assert Room.write(carol, [alice, mallory], "without bob") and Room.write(carol, [alice, bob], "without mallory")


def test_in_a_conversation_that_is_older_a_blocked_person_calls_nobody_who_blocked_them(alice, bob, carol):
    room = Room.write(alice, [bob, carol], "all three").room
    Block.objects.create(by=bob, whom=carol)
    inbox = bob.notifications.filter(kind="message")
    before = inbox.count()
    room.say(carol, "bob, @bob, do answer")
    assert inbox.count() == before and alice.notifications.filter(kind="message").count() == 1
    room.say(alice, "never mind")
    assert inbox.count() == before + 1
    room.memberships.get(person=bob).leave()
    Room.write(carol, [alice, bob], "come back, bob")
    assert not room.readable_by(bob) and inbox.count() == before + 1


def test_a_conversation_has_at_most_ten_people(person, alice):
    crowd = [person(f"p{n}") for n in range(10)]
    assert refusal(Room.write, alice, crowd, "hi") == "A conversation has at most 10 people."
    assert Room.write(alice, crowd[:9], "hi")


def test_the_demonstration_has_rooms_in_which_its_people_talk(db, settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    call_command("demo", stdout=StringIO())
    for _ in range(2):
        call_command("demo_rooms")
    assert [str(room) for room in Room.objects.order_by("pk")] == ["Lobby", "茶馆"]
    lines = Room.objects.get(name="Lobby").messages.order_by("pk")
    assert [line.opens_day for line in lines].count(True) > 1 and not lines[3].opens_turn
    assert "/people/tom/" in lines[4].html


def here(person, room):
    """A page of ``person``'s that shows ``room`` is open."""
    lease = Lease.objects.create(host="somewhere", pid=1, renewed=timezone.now())
    rows.record(lease, {(name_of(room), str(person.pk)): 1})


def test_an_open_page_keeps_no_mark_away_unless_its_reader_just_gave_a_sign(den, alice, bob):
    here(alice, den)
    mine = den.memberships.get(person=alice)
    mine.listen("everything")
    first = den.say(bob, "anybody?")
    mark_unread()
    assert "unread" in told(MyRooms(alice.pk)) and alice.notifications.unread().count() == 1

    mine.read_up_to(first.pk)
    before = cursors(MyRooms(alice.pk))
    den.say(bob, "there you are")
    mark_unread()
    assert cursors(MyRooms(alice.pk)) == before and not alice.notifications.unread().exists()
    den.memberships.filter(person=alice).update(read_at=timezone.now() - timedelta(minutes=2))
    mark_unread()  # she is silent still
    assert "unread" in told(MyRooms(alice.pk), before[0].tick) and alice.notifications.unread().count() == 1
    assert not Room.objects.exclude(marked=F("last")).exists()


def test_who_left_the_page_is_told_at_once_however_lately_they_read(den, alice, bob):
    den.memberships.get(person=alice).read_up_to(den.say(bob, "anybody?").pk)
    [before] = cursors(MyRooms(alice.pk))
    den.say(bob, "departed?")
    mark_unread()
    assert "unread" in told(MyRooms(alice.pk), before.tick)


@pytest.mark.parametrize("how", ["remove", "erase"])
def test_a_removed_line_takes_its_mark_along(den, alice, bob, how):
    first, second, third = (den.say(bob, text) for text in ("one", "two", "three"))
    den.memberships.get(person=alice).read_up_to(first.pk)
    mark_unread()
    [marked] = cursors(MyRooms(alice.pk))
    for line, is_unread in ((third, True), (second, False)):
        line.remove(bob) if how == "remove" else line.erase()
        mark_unread()
        assert den.memberships.listed().get(person=alice).is_unread is is_unread
        assert Membership.objects.get(room=den, person=alice).marked is is_unread
    row = told(MyRooms(alice.pk), marked.tick)
    assert f'id="room-{den.pk}"' in row and "unread" not in row
    den.say(bob, "four")
    mark_unread()
    assert "unread" in told(MyRooms(alice.pk))
    first.remove(bob)  # what is not the newest changes nothing
    assert den.memberships.listed().get(person=alice).is_unread


def test_the_marks_of_many_go_in_parts(den, alice, bob, carol, settings):
    settings.MARKS_AT_ONCE = 1
    den.admit(carol)
    said = den.say(bob, "oops")
    mark_unread()
    said.remove(bob)  # before carol was told
    for _ in range(4):
        mark_unread()
    assert not Membership.objects.filter(marked=True).exists() and not Room.objects.exclude(marked=F("last")).exists()
    den.say(bob, "well")
    for _ in range(3):
        mark_unread()
    assert Membership.objects.filter(marked=True).count() == 2


def test_a_removed_private_message_takes_its_mark_along_at_once(alice, bob):
    first = Room.write(bob, [alice], "psst")
    mine = Membership.objects.get(room=first.room, person=alice)
    mine.read_up_to(first.pk)
    second = Room.write(bob, [alice], "oops")
    [marked] = cursors(MyRooms(alice.pk))
    assert "unread" in told(MyRooms(alice.pk))
    second.remove(bob)
    row = told(MyRooms(alice.pk), marked.tick)
    assert f'data-key="{first.pk}"' in row and "unread" not in row
    assert not Membership.objects.filter(marked=True).exists()

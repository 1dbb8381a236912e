"""What people are told, how it adds up, and how it is taken back."""

import pytest
from django.db import transaction
from django.utils import translation

from inbox.models import (
    Ignore,
    Mute,
    Notification,
    NotificationSource,
    notify,
    notify_each,
    read,
    withdraw_notifications,
)
from inbox.models.notification import read_all
from live.cursors import cursors
from people.models import Person

Kind = Notification.Kind


@pytest.fixture
def thread(person):
    return person("thread", display_name="A day at the sea")


@pytest.fixture
def sources(person):
    return [person(f"source{n}") for n in range(8)]


def unread(person):
    return [(row.kind, row.sentence) for row in Notification.objects.unread().filter(person=person).order_by("pk")]


def test_one_row_a_thread_and_kind_with_two_names_and_the_number_of_the_others(alice, crowd, thread, sources):
    said = []
    for by, source in zip(crowd, sources, strict=False):
        notify(Kind.REPLY, [alice], thread=thread, source=source, by=by)
        [(_, sentence)] = unread(alice)
        said.append(sentence)
    assert said == [
        "Li replied in A day at the sea",
        "Li and Ana replied in A day at the sea",
        "Li, Ana and Bo replied in A day at the sea",
        "Li, Ana and 2 others replied in A day at the sea",
        "Li, Ana and 3 others replied in A day at the sea",
        "Li, Ana and 4 others replied in A day at the sea",
    ]
    row = Notification.objects.get(person=alice)
    assert [str(one) for one in row.people] == ["Li", "Ana", "Bo"] and row.source == sources[5]
    with translation.override("zh-hans"):
        assert row.sentence == "Li、Ana 等 6 人回复了《A day at the sea》"


def test_a_person_who_answers_twice_is_named_once(alice, crowd, thread, sources):
    for source in sources[:3]:
        notify(Kind.REPLY, [alice], thread=thread, source=source, by=crowd[0])
    assert unread(alice) == [("reply", "Li replied in A day at the sea")]
    assert NotificationSource.objects.count() == 3


def test_mentions_and_messages_are_not_merged(alice, crowd, thread, sources):
    for kind in (Kind.MENTION, Kind.MESSAGE):
        for source in sources[kind == Kind.MENTION :: 2]:
            notify(kind, [alice], thread=thread, source=source, by=crowd[0])
    assert Notification.objects.unread().filter(person=alice).count() == 8


def test_of_one_source_everybody_is_told_one_thing_and_its_author_nothing(alice, bob, carol, thread, sources):
    recipients = {Kind.COMMENT: [alice, bob], Kind.REPLY: [bob], Kind.MENTION: [bob, carol]}
    for _ in range(5):
        notify_each(recipients, thread=thread, source=sources[0], by=carol)
    assert [(row.person, row.kind) for row in Notification.objects.order_by("person")] == [
        (alice, "comment"),
        (bob, "mention"),
    ]


def test_what_is_taken_back_lowers_the_count_and_the_last_one_takes_the_row(alice, crowd, thread, sources):
    for by, source in zip(crowd, sources, strict=False):
        notify(Kind.REPLY, [alice], thread=thread, source=source, by=by)
    withdraw_notifications(sources[0])
    assert unread(alice) == [("reply", "Ana, Bo and 3 others replied in A day at the sea")]
    for source in sources[1:5]:
        withdraw_notifications(source)
    [row] = Notification.objects.unread().filter(person=alice)
    assert row.sentence == "Ed replied in A day at the sea" and row.source == sources[5]
    [before] = cursors(alice)
    assert withdraw_notifications(sources[5]) == 1 and withdraw_notifications(sources[5]) == 0
    row.refresh_from_db()
    assert unread(alice) == [] and row.withdrawn and row.changed == cursors(alice)[0].tick == before.tick + 1
    notify(Kind.REPLY, [alice], thread=thread, source=sources[5], by=crowd[5])  # approved again
    assert unread(alice) == [("reply", "Ed replied in A day at the sea")]


def test_reading_the_thread_reads_all_that_was_told_of_it(alice, bob, thread, sources, crowd):
    notify(Kind.REPLY, [alice, bob], thread=thread, source=sources[0], by=crowd[0])
    notify(Kind.MENTION, [alice], thread=thread, source=sources[1], by=crowd[0])
    notify(Kind.REPLY, [alice], thread=sources[7], source=sources[2], by=crowd[0])
    [before] = cursors(alice)
    read(alice, thread)
    assert [kind for kind, _ in unread(alice)] == ["reply"] and len(unread(bob)) == 1
    [after] = cursors(alice)
    assert after.tick == before.tick + 1
    read(alice, thread)
    assert cursors(alice) == [after]
    read_all(alice)
    assert unread(alice) == []


def test_what_comes_after_the_reading_is_a_new_row(alice, crowd, thread, sources):
    notify(Kind.REPLY, [alice], thread=thread, source=sources[0], by=crowd[0])
    read(alice, thread)
    notify(Kind.REPLY, [alice], thread=thread, source=sources[1], by=crowd[1])
    assert unread(alice) == [("reply", "Ana replied in A day at the sea")]
    assert Notification.objects.filter(person=alice).count() == 2


def test_unread_again_joins_the_unread_row_of_the_thread(alice, crowd, thread, sources):
    notify(Kind.REPLY, [alice], thread=thread, source=sources[0], by=crowd[0])
    old = Notification.objects.get()
    old.unread()
    assert unread(alice) == [("reply", "Li replied in A day at the sea")]
    old.read()
    assert unread(alice) == []
    old.unread()
    assert unread(alice) == [("reply", "Li replied in A day at the sea")]
    old.read()
    notify(Kind.REPLY, [alice], thread=thread, source=sources[1], by=crowd[1])
    old.refresh_from_db()
    old.unread()
    assert unread(alice) == [("reply", "Li and Ana replied in A day at the sea")]
    old.refresh_from_db()
    assert old.withdrawn


def test_the_muted_the_ignored_and_the_banned_are_not_heard_of(alice, bob, carol, thread, sources, crowd):
    Mute.make(alice, thread)
    Mute.make(alice, thread)
    Ignore.make(bob, crowd[0])
    Person.objects.filter(pk=carol.pk).update(is_active=False)
    everybody = [alice, bob, carol, crowd[1]]
    notify(Kind.MENTION, everybody, thread=thread, source=sources[0], by=crowd[0])
    assert [row.person for row in Notification.objects.all()] == [crowd[1]]
    notify(Kind.MODERATION, everybody, thread=thread, source=sources[1], by=crowd[0])
    assert {row.person for row in Notification.objects.filter(kind="moderation")} == {alice, bob, crowd[1]}
    Mute.make(alice, thread, False)
    notify(Kind.MENTION, [alice], thread=thread, source=sources[2], by=crowd[0])
    assert len(unread(alice)) == 2


def test_nothing_is_told_of_what_was_rolled_back(alice, crowd, thread, sources):
    before = cursors(alice)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        notify(Kind.REPLY, [alice], thread=thread, source=sources[0], by=crowd[0])
        1 / 0  # noqa: B018
    assert unread(alice) == [] and cursors(alice) == before


def test_the_title_of_a_thread_that_bob_may_not_read_is_not_told(alice, crowd, thread, sources, monkeypatch):
    notify(Kind.REPLY, [alice], thread=thread, source=sources[0], by=crowd[0])
    row = Notification.objects.get()
    monkeypatch.setattr(Person, "is_known_to", lambda self, person: False, raising=False)
    assert row.sentence == "Li replied in something withdrawn"

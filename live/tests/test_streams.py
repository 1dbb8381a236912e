"""Ticks, cursors and deltas: what a page is told, given what it has seen."""

import logging

import pytest
from django.core.signing import BadSignature
from django.db import transaction
from django.http import QueryDict

from live import deltas, streams, ticks
from live.cache import html_cache
from live.cursors import Cursor, cursors, heads, seen, unsign
from live.deltas import delta
from live.streams import find, name_of
from live.tests.conftest import Lamp
from live.ticks import tick

DEBT = '<i id="again" hidden hx-get=""'


def told(lamp, since):
    return delta(find(name_of(lamp)), since)


def test_a_page_that_is_up_to_date_is_told_nothing(lamp):
    lamp.write("on")
    assert told(lamp, 1) == ("", 1)


def test_a_page_is_told_what_changed_since_its_cursor_and_where_it_is_then(lamp):
    for text in ("on", "off", "on again"):
        lamp.write(text)
    text, head = told(lamp, 1)
    assert head == 3
    assert "OFF" in text and "ON AGAIN" in text and ">ON<" not in text
    assert 'id="cursor-live-lamp-1"' in text and 'value="3"' in text
    assert told(lamp, 1) == (text, head)


def test_a_page_that_missed_more_than_the_limit_asks_for_itself_again(lamp):
    for n in range(6):
        lamp.write(f"change {n}")
    assert DEBT not in told(lamp, 1)[0]
    text, head = told(lamp, 0)
    assert DEBT in text and "CHANGE" not in text and ">6<" in text and head == 6


def test_a_page_with_a_cursor_from_the_future_asks_for_itself_again(lamp):
    """The database was set back to a backup: what the page holds may never have been."""
    lamp.write("on")
    text, head = told(lamp, 99)
    assert DEBT in text and head == 1


def test_cursors_that_a_stranger_makes_up_are_one_step_and_rendered_once(lamp, monkeypatch):
    stream, rendered, asked = streams.kinds["live.lamp"], [], []
    changes = stream.changes

    def totals(self):
        rendered.append(1)
        return "the totals " * 10_000

    monkeypatch.setattr(stream, "changes", lambda self, since: asked.append(since) or changes(self, since))
    for n in range(40):
        lamp.write(f"change {n}")
    monkeypatch.setattr(stream, "totals", totals)
    for since in [*range(34, -1, -1), *range(41, 200), 10**17]:
        text, head = told(lamp, since)
        assert DEBT in text and head == 40
    assert len(rendered) == 1 and asked == [34]
    assert html_cache.size < 2 * len(text)
    assert DEBT not in told(lamp, 35)[0]
    rendered.clear()
    lamp.write("a new head")
    assert 'value="41"' in told(lamp, 10**17)[0] and len(rendered) == 1


def test_a_delta_is_rendered_anew_when_a_name_that_it_shows_has_changed(lamp, monkeypatch):
    names = Lamp(2)
    monkeypatch.setattr(deltas, "shown_everywhere", [names])
    item = lamp.write("Bob says hello")
    assert "BOB SAYS" in told(lamp, 0)[0]
    item.text = "somebody says hello"  # as the text of a comment whose author is renamed: the stream does not tick
    assert "BOB SAYS" in told(lamp, 0)[0]  # the precondition: it is remembered
    with transaction.atomic():
        tick(names)
    assert "BOB" not in told(lamp, 0)[0] and "SOMEBODY SAYS" in told(lamp, 0)[0]


def test_what_a_delta_shows_beside_what_ticks_is_not_remembered_for_ever(lamp, monkeypatch):
    monkeypatch.setattr(deltas, "KEPT", 0)
    item = lamp.write("before")
    assert "BEFORE" in told(lamp, 0)[0]
    item.text = "after"
    assert "AFTER" in told(lamp, 0)[0]


def test_an_item_that_cannot_be_rendered_is_logged_once_and_the_others_go_on(lamp, caplog):
    for text in ("first", "broken", "last"):
        lamp.write(text)
    with caplog.at_level(logging.ERROR, "live"):
        text, head = told(lamp, 0)
    assert "FIRST" in text and "LAST" in text and head == 3
    assert len(caplog.records) == 1


def test_a_rollback_leaves_no_tick_and_rings_nobody(lamp, monkeypatch):
    rung = []
    monkeypatch.setattr(ticks, "ring", rung.append)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        lamp.write("on")
        1 / 0  # noqa: B018
    assert heads(["live.lamp:1"]) == {"live.lamp:1": 0}
    assert rung == []
    lamp.write("on")
    assert rung == [{"live.lamp:1": 1}]


def test_a_stream_ticks_in_a_transaction_only(lamp):
    with pytest.raises(transaction.TransactionManagementError):
        tick(lamp)


def test_several_streams_tick_at_once_and_answer_in_order(lamp):
    lamp.write("on")
    other = Lamp(2)
    with transaction.atomic():
        assert tick(other, lamp) == [1, 2]
        assert tick(lamp, other, lamp) == [3, 2, 3]


def test_the_name_of_a_stream_is_proven_by_our_signature(lamp):
    [cursor] = cursors(lamp)
    assert unsign(cursor.signed) == "live.lamp:1"
    for forged in ("live.lamp:1", "live.lamp:2:" + cursor.signed.rpartition(":")[2], cursor.signed + "x", ""):
        with pytest.raises(BadSignature):
            unsign(forged)
    with pytest.raises(BadSignature):  # ours, but of a kind that is no more
        unsign(Cursor("gone:1", 0).signed)


def test_what_does_not_exist_is_no_stream(lamp):
    assert (
        find("live.lamp:2")
        is find("nothing:1")
        is find("people.person:x")
        is find(f"people.person:{9**40}")
        is find("")
        is None
    )


def test_the_heads_of_many_streams_are_asked_at_once(lamp):
    names = [f"live.lamp:{n}" for n in range(1000)]
    lamp.write("on")
    assert heads(names) == dict.fromkeys(names, 0) | {"live.lamp:1": 1}


def test_many_streams_tick_in_a_few_queries(lamp, django_assert_max_num_queries):
    many = [Lamp(n) for n in range(300, 0, -1)]
    with transaction.atomic():
        tick(*many[:150])
        with django_assert_max_num_queries(6):
            assert tick(*many) == [2] * 150 + [1] * 150


@pytest.mark.parametrize("said, tick", [("7", 7), ("", None), ("-1", None), ("x", None), ("9" * 30, None), ("٣", 3)])
def test_a_form_says_what_its_page_has_seen(lamp, said, tick):
    values = QueryDict(mutable=True)
    values[cursors(lamp)[0].signed] = said
    assert seen(values, lamp) == tick

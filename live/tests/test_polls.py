"""A poll, as somebody writes it who never saw the engine: what the author says, and what the engine does of itself."""

import re
from pathlib import Path

import pytest
from django.db import connection

import live
from harness.document import Document
from live import hub, streams
from live.changes import LockOrder
from live.cursors import Cursor
from live.deltas import delta
from live.streams import find, name_of
from live.testing import read_form
from live.tests.conftest import Page
from live.tests.polls.models import Option, Poll
from live.tests.polls.streams import PollStream

HERE = Path(__file__).parent / "polls"


@pytest.fixture
def poll(transactional_db, settings, monkeypatch):
    """A poll with two options, in a site that has nothing but polls."""
    monkeypatch.setitem(streams.kinds, "polls.poll", None)  # taken back afterwards
    live.register(Poll)(PollStream)
    monkeypatch.setattr("live.shortcuts.on_every_page", [])
    folders = [*settings.TEMPLATES[0]["DIRS"], HERE / "templates"]
    settings.TEMPLATES = [{"BACKEND": settings.TEMPLATES[0]["BACKEND"], "DIRS": folders, "APP_DIRS": True}]
    settings.MIDDLEWARE = []
    settings.ROOT_URLCONF = "live.tests.polls.urls"
    with connection.schema_editor() as editor:
        editor.create_model(Poll)
        editor.create_model(Option)
    poll = Poll.objects.create(question="Tea or coffee?")
    with poll.change():
        for text in ("Tea", "Coffee"):
            Option.objects.create(poll=poll, text=text)
    yield poll
    with connection.schema_editor() as editor:
        editor.delete_model(Option)
        editor.delete_model(Poll)


def option(text):
    return Option.objects.get(text=text)


def test_its_author_writes_at_most_twenty_lines_of_python():
    lines = "".join((HERE / file).read_text() for file in ("streams.py", "views.py", "urls.py")).splitlines()
    written = [line for line in lines if line.strip() and not re.match(r"from|import|urlpatterns \+=", line)]
    assert 10 < len(written) <= 16
    assert len([line for line in lines if re.match(r"from|import", line)]) <= 9


def test_a_page_shows_the_poll_and_says_where_it_is(poll, client):
    answer = client.get(f"/polls/{poll.pk}/")
    assert "Tea or coffee?" in answer.content.decode()
    assert read_form(answer.content.decode()) == {"language": "en", Cursor(name_of(poll), 1).signed: "1"}


def test_a_vote_is_answered_with_what_the_page_has_not_seen(poll, client):
    tea, coffee = option("Tea"), option("Coffee")
    client.post(f"/options/{coffee.pk}/vote/")
    seen = {Cursor(name_of(poll), 1).signed: "1"}
    answer = client.post(f"/options/{tea.pk}/vote/", seen, headers={"HX-Request": "true"}).content.decode()
    assert "Tea: 1" in answer and "Coffee: 1" in answer and 'value="3"' in answer
    assert client.post(f"/options/{tea.pk}/vote/").url == f"/polls/{poll.pk}/"


def test_a_vote_reaches_the_open_pages(poll, run):
    tea = option("Tea")

    def vote():
        with tea.change():
            tea.votes += 1
            tea.save()

    async def scene():
        page = await Page(poll).open()
        await hub.in_thread(vote)
        await page.hear("Tea: 1")
        assert "Coffee" not in page.told
        await page.close()

    run(scene())


def test_who_was_away_is_told_what_changed_and_no_more(poll):
    tea = option("Tea")
    with tea.change():
        tea.votes = 7
        tea.save(update_fields=["votes"])
    text, head = delta(find(name_of(poll)), 1)
    assert "Tea: 7" in text and "Coffee" not in text and head == 2


def test_a_change_reads_afresh_what_it_locked(poll):
    tea, same = option("Tea"), option("Tea")
    for mine in (tea, same):
        with mine.change():
            mine.votes += 1
            mine.save()
    assert option("Tea").votes == 2


def test_a_change_that_fails_or_is_undone_tells_nobody(poll, monkeypatch):
    rung = []
    monkeypatch.setattr("live.ticks.ring", rung.append)
    tea = option("Tea")
    with pytest.raises(ZeroDivisionError), tea.change():
        tea.votes = 1
        tea.save()
        tea.votes /= 0
    with tea.change() as now:
        tea.votes = 1
        tea.save()
        now.undo()
    assert (option("Tea").votes, rung) == (0, [])
    with tea.change():
        assert not rung  # nothing is heard that a rollback can unsay
    assert rung == [{name_of(poll): 2}]


def test_a_change_within_a_change_is_a_part_of_it(poll):
    other = Poll.objects.create(question="Cake?")
    with live.change(poll) as outer, live.change(poll, other) as inner:
        Option.objects.create(poll=other, text="Yes")
        tea = option("Tea")
        tea.save()
        assert inner.at(poll) == outer.at(poll) == 2 and inner.at(other) == 1
    assert (option("Tea").changed, option("Yes").born) == (2, 1)
    assert (option("Tea").born, option("Coffee").changed) == (1, 1)


def test_streams_are_locked_in_one_order_whatever_the_author_says(poll, monkeypatch):
    other, locked = Poll.objects.create(question="Cake?"), []
    monkeypatch.setattr("live.ticks.ring", lambda moved: locked.append(list(moved)))
    for things in ([poll, other], [other, poll]):
        with live.change(*things):
            pass
    assert locked == [[name_of(poll), name_of(other)]] * 2


def test_a_change_within_a_change_cannot_lock_what_comes_first(poll, lamp, monkeypatch):
    monkeypatch.setattr(streams.kinds["live.lamp"], "rank", 1, raising=False)
    with live.change(poll), live.change(lamp):
        pass
    with pytest.raises(LockOrder), live.change(lamp), live.change(poll):
        pass


def test_what_is_saved_outside_of_a_change_is_not_stamped(poll):
    tea = option("Tea")
    tea.votes = 1
    tea.save()
    assert option("Tea").changed == 1


def test_the_public_names_come_from_their_modules_and_no_others():
    assert all(getattr(live, name) for names in live.PUBLIC.values() for name in names)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        live.nothing  # noqa: B018


def test_a_page_that_missed_too_much_takes_the_whole_poll_from_its_answer_to_itself(poll):
    page = Document(f"/polls/{poll.pk}/")
    page.connected = False
    with poll.change():
        for n in range(60):
            Option.objects.create(poll=poll, text=f"Juice {n}")
    page.settle()
    assert len(page.dom.select("#options > li")) == 62
    assert page.dom.select_one("#options") == Document(f"/polls/{poll.pk}/").dom.select_one("#options")
    assert not page.owes

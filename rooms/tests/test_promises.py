"""A room's page, as a model: any order of lines, edits, removals, cuts and clicks ends as a reload shows it."""

import random

import pytest

from harness.document import Document
from rooms.streams import RoomStream


@pytest.fixture(autouse=True)
def small(settings, monkeypatch):
    settings.MESSAGES_AT_FIRST, settings.MESSAGES_IN_PAGE = 4, 12
    monkeypatch.setattr(RoomStream, "limit", 6)


class Model:
    def __init__(self, room, reader, other, seed):
        self.room, self.reader, self.other, self.random = room, reader, other, random.Random(seed)
        self.page = Document(room.get_absolute_url(), reader)
        self.drafts, self.owed, self.kept = {}, 0, 0

    def play(self, steps):
        doings = [self.say, self.say, self.say, self.edit, self.remove, self.much, self.older, self.older]
        doings += [self.begin, self.begin, self.drop, self.cut, self.come_back, self.pay]
        for _ in range(steps):
            self.random.choice(doings)()
            self.page.listen()
            self.owed += self.page.owes
            self.assert_drafts()
        self.page.settle()
        self.assert_drafts()

    def some(self, **which):
        rows = list(self.room.messages.visible().filter(**which).order_by("-pk")[:15])
        return self.random.choice(rows) if rows else None

    def say(self):
        self.room.say(self.random.choice([self.reader, self.other]), f"line {self.random.random()}")

    def edit(self):
        if line := self.some():
            line.revise(line.author, f"edited {self.random.random()}")

    def remove(self):
        if line := self.some():
            line.remove(line.author)

    def much(self):
        for _ in range(9):
            self.random.choice([self.say, self.say, self.edit, self.remove])()

    def older(self):
        if links := self.page.dom.select("#messages .older a"):
            self.page.follow(links[0])

    def begin(self):
        if (line := self.some(author=self.reader)) and (link := self.page.dom.find(id=f"edit-{line.pk}")):
            text = self.drafts.setdefault(line.pk, f"draft {self.random.random()}")
            self.page.open(link).textarea.string = text

    def drop(self):
        if self.drafts:
            pk = self.random.choice(list(self.drafts))
            del self.drafts[pk]
            self.page.close(self.page.dom.find(id=f"message-{pk}-form"))

    def cut(self):
        self.page.connected = False

    def come_back(self):
        self.page.connected = True

    def pay(self):
        if self.page.owes:
            self.page.take(self.page.ask())

    def assert_drafts(self):
        for pk, text in self.drafts.items():
            [field] = self.page.dom.select(f"#message-{pk} > #message-{pk}-form textarea")
            assert field.text == text
            self.kept += "removed" in self.page.dom.find(id=f"message-{pk}-body").get("class", [])
        ids = [element["id"] for element in self.page.dom.select("[id]")]
        assert len(ids) == len(set(ids))


def lines(page):
    """What ``page`` shows: ids with texts, but for the places of lines that are no more."""
    bodies = [line.article for line in page.dom.select("#messages > .line")]
    return [(body["id"], " ".join(body.text.split())) for body in bodies if "removed" not in body.get("class", [])]


@pytest.mark.parametrize("seed", range(5))
def test_any_order_of_events_ends_in_the_room_that_a_reload_shows(lobby, bob, carol, seed):
    for n in range(10):
        lobby.say([bob, carol][n % 2], f"old {n}")
    played = Model(lobby, bob, carol, seed)
    played.play(60)
    for pk in list(played.drafts):
        played.page.close(played.page.dom.find(id=f"message-{pk}-form"))
    fresh = Document(lobby.get_absolute_url(), bob)
    for page in (played.page, fresh):
        while links := page.dom.select("#messages .older a"):
            page.follow(links[0])
    window = lines(fresh)
    assert lines(played.page)[-len(window) :] == window
    assert played.owed


def test_a_line_too_many_stays_while_it_is_edited(lobby, bob, carol, settings):
    lines = [lobby.say(bob, f"old {n}") for n in range(4)]
    played = Model(lobby, bob, carol, seed=0)
    form = played.page.open(played.page.dom.find(id=f"edit-{lines[0].pk}"))
    form.textarea.string = "half a thought"
    for n in range(14):
        lobby.say(carol, f"new {n}")
        played.page.listen()
    assert not played.page.dom.find(id=f"message-{lines[1].pk}")
    assert played.page.dom.find(id=f"message-{lines[0].pk}-form").textarea.text == "half a thought"


def test_a_page_of_earlier_lines_is_kept_current_and_gets_nothing_new(lobby, bob, carol):
    said = [lobby.say(bob, f"old {n}") for n in range(8)]
    page = Document(f"{lobby.get_absolute_url()}?before={said[5].pk}", carol)
    said[2].revise(bob, "better")
    said[3].remove(bob)
    for n in range(20):  # more than a page holds: the newest pages let the oldest lines go
        lobby.say(bob, f"new {n}")
        page.listen()
    shown = page.dom.select_one("#earlier-messages").text
    assert "better" in shown and "old 3" not in shown and "old 0" in shown and "new" not in shown
    page.connected = False
    for n in range(20):
        said[1].revise(bob, f"edit {n}") if n == 0 else lobby.say(bob, f"more {n}")
    page.settle()
    shown = page.dom.select_one("#earlier-messages").text
    assert "edit 0" in shown and "old 0" in shown and "more" not in shown

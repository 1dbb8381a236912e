"""A stream of the tests' own: lamps, whose state is in memory, and pages that watch them without a server."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from django.db import transaction

from live import fragments, hub, streams
from live.consumers import LiveConsumer
from live.cursors import cursors
from live.presence import CountsReaders, ShowsPeople, ShowsTyping, tracker
from live.streams import Stream, register
from live.testing import PATIENCE
from live.ticks import tick


class Lamp:
    """Something to watch: its ``items`` are what was written on it, with the ticks."""

    def __init__(self, pk=1):
        self.pk = pk
        self.items = []
        self.private = False

    def write(self, text):
        """Change the lamp as a verb of a model would; → the item."""
        with transaction.atomic():
            [now] = tick(self)
            item = SimpleNamespace(text=text, changed=now)
            self.items.append(item)
        return item


class Writings:
    """What was written on a lamp, as a list of its own kind."""

    places = ()

    @staticmethod
    def changed(lamp, since, most):
        return [item for item in lamp.items if item.changed > since][:most]

    @staticmethod
    def show(item, since):
        return fragments.text(item.text.upper() if item.text != "broken" else 1 / 0, "#lamp")


@pytest.fixture
def lamp(transactional_db, monkeypatch):
    for kind in ("live.lamp", "live.table"):
        monkeypatch.setitem(streams.kinds, kind, None)  # taken back afterwards
    lamps = {}

    @register(Lamp)
    class LampStream(CountsReaders, ShowsTyping, Stream):
        lists = [Writings()]
        limit = 5

        @classmethod
        def load(cls, key):
            return lamps.get(key)

        def allows(self, person):
            return not self.thing.private

        def totals(self):
            return fragments.text(len(self.thing.items), "#count")

        def ended(self, viewer):
            return fragments.text("farewell", "#lamp"), None

        def readers(self, count):
            return fragments.text(f"{count} here", "#readers")

        def typing(self, ids):
            return fragments.text(f"typing: {' '.join(ids)}.", "#typing")

    @register(Table)
    class TableStream(ShowsPeople, Stream):
        @classmethod
        def load(cls, key):
            return Table(key)

        def allows(self, person):
            return True

        def people(self, ids, anonymous, joined=(), left=()):
            said = f"here: {' '.join(ids)}, {anonymous}; came: {' '.join(joined)}; left: {' '.join(left)}."
            return fragments.text(said, "#here")

    lamp = lamps["1"] = Lamp()
    return lamp


class Table:
    """Something to sit at, and to see who does."""

    def __init__(self, pk=1):
        self.pk = pk


async def until(state):
    """Wait until ``state()`` is true, in an event loop, as long as it takes."""
    async with asyncio.timeout(PATIENCE):
        while not state():
            await asyncio.sleep(0.001)


class Page:
    """A page of ``user_id``, or of a ``session`` (its key), that watches ``things``, without a network between.

    ``told`` is what its socket was sent, ``closed`` the code with which it was closed.
    """

    def __init__(self, *things, since=None, user_id="", session=None, address=""):
        self.things, self.since, self.user_id = things, since, user_id
        self.session, self.address = session, address
        self.told, self.closed = "", None
        self.block = None  # a future that holds up whatever is sent
        self.said = asyncio.Queue()

    async def open(self):
        self.connect()
        self.began = [c.tick if self.since is None else self.since for c in await self.cursors()]
        self.say({c.signed: str(tick) for c, tick in zip(await self.cursors(), self.began, strict=True)})
        while not {c.name for c in await self.cursors()} <= set(self.consumer.audiences):
            assert not self.running.done() or "farewell" in self.told, f"closed with {self.closed}: {self.told}"
            await asyncio.sleep(0.001)
        return self

    def connect(self):
        self.consumer = LiveConsumer(self.session, self.send)
        self.consumer.user_id = self.user_id
        self.running = asyncio.ensure_future(self.consumer.run(self.said.get, self.address))

    async def cursors(self):
        return await hub.in_thread(cursors, *self.things)

    def say(self, said):
        self.said.put_nowait({"type": "websocket.receive", "text": said if isinstance(said, str) else json.dumps(said)})

    async def send(self, message):
        if self.block:
            await self.block
        if message["type"] == "websocket.close":
            self.closed = message["code"]
        else:
            self.told += message["text"]

    async def hear(self, wanted):
        await until(lambda: wanted in self.told)

    async def ended(self):
        """Wait until the consumer has ended."""
        async with asyncio.timeout(PATIENCE):
            await self.running

    async def close(self):
        self.said.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await self.running


@pytest.fixture
def table(lamp, settings, monkeypatch):
    settings.LIVE = {"LEAVE_AFTER": 0.3}
    monkeypatch.setattr(tracker, "SETTLE", 0.02)
    return Table()

"""Who is here and who is typing, as one process knows it and tells its pages.

Rows say who is here (``rows.py``), for all processes; this is what writes and reads them. A process
writes when a person's first tab opens or their last one closes. One who leaves a stream that shows people is
kept for ``LEAVE_AFTER`` seconds, so that a reload is silent. Typing is whispered and never written.
"""

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

from django.utils import translation

from live.conf import settings
from live.deltas import Refused, ask
from live.doorbell import Event
from live.hub import whisper
from live.presence import CountsReaders, ShowsPeople, ShowsTyping, rows
from live.retries import Retry
from live.streams import find, kinds
from live.threads import in_thread
from live.viewers import Viewer

if TYPE_CHECKING:
    from live.consumers import LiveConsumer
    from live.hub import Audience, Hub

logger = logging.getLogger("live")

SETTLE = 0.5  # seconds in which arrivals and departures are gathered before they are written and told
LOOK = 10  # seconds between two looks at all who are here: a process that died is missed 30 s after its last sign
DELIVERIES = 1000  # a second, at most, that one stream may spend on who comes and goes
TYPING = 6  # seconds that somebody types on after a whisper
QUIET_ABOVE = 200  # people in one place among whom nobody is shown typing
NAMED = 3  # typing people whose names are asked for; more are several


def stop_typing(name: str, user_id: str) -> None:
    """The person ``user_id`` (str) has said on the stream ``name`` what they typed; from any thread, never waits."""
    whisper(name, {"type": "stop_typing", "user_id": user_id})


def refresh_presence(user_id: str) -> None:
    """Have all processes see anew who is on the streams on which the person ``user_id`` (str) is; from any thread."""
    for name in rows.streams_of(user_id):
        whisper(name, {"type": "presence"})


# The people (list of ids) on each stream, and the number of anonymous tabs.
Here = dict[str, tuple[list[str], int]]


class PresenceTracker:
    """Belongs to the ``hub``, whose audiences it tells."""

    def __init__(self, hub: "Hub") -> None:
        self.hub = hub
        self.tabs: Counter[tuple[str, str]] = Counter()  # (name, who) -> open tabs in this process
        self.moved: set[tuple[str, str]] = set()  # the (name, who) to be written
        self.left_at: dict[tuple[str, str], float] = {}  # (name, who) -> when their last tab closed
        self.told: dict[str, Any] = {}  # name -> what its audiences were told: a number, or (people, anonymous)
        self.told_at: dict[str, float] = {}  # name -> when
        self.stale: set[str] = set()  # the names to look at anew
        self.looked_at = 0.0
        self.settling = False
        self.recording = asyncio.Lock()
        self.typing: dict[str, dict[str, float]] = {}  # name -> {who: when they whispered}
        self.typing_told: dict[str, tuple[list[str], float]] = {}  # name -> (who was said to type, when)

    def dispatch(self, event: "Event") -> None:
        """Hear of an ``event`` (dict) of the channel layer, if it is one of presence."""
        match event["type"]:
            case "presence":
                self.on_presence(event["name"])
            case "whisper":
                self.whisper(event["name"], event["user_id"])
            case "stop_typing":
                self.stop_typing(event["name"], event["user_id"])

    # Coming and going

    def join(self, listener: "LiveConsumer", audience: "Audience") -> None:
        kind = kind_of(audience.name)
        if issubclass(kind, (CountsReaders, ShowsPeople)):
            audience.newcomers.add(listener)
            self.count(audience.name, listener.user_id, +1)

    def leave(self, listener: "LiveConsumer", audience: "Audience") -> None:
        if (audience.name, listener.user_id) in self.tabs:
            self.count(audience.name, listener.user_id, -1)

    def count(self, name: str, user_id: str, more: int) -> None:
        key = name, user_id
        self.tabs[key] += more
        if not self.tabs[key] and user_id and shows(name, ShowsPeople):
            self.left_at[key] = self.hub.loop.time()
            self.hub.loop.call_later(settings.LEAVE_AFTER + 0.01, self.settle)
        if not user_id or self.tabs[key] == (1 if more > 0 else 0):
            self.moved.add(key)
        self.settle()

    def on_presence(self, name: str) -> None:
        """Another process, or this one, has written who is on the stream ``name``."""
        self.stale.add(name)
        self.settle()

    def recorded_anew(self) -> None:
        """Our rows were swept away: write them all again."""
        self.moved |= set(self.tabs)

    def settle(self) -> None:
        if not self.settling:
            self.settling = True
            self.hub.spawn(self._settle())

    async def _settle(self) -> None:
        await asyncio.sleep(SETTLE)
        self.settling = False
        try:
            await self.record()
            new = {audience.name for audience in self.hub.audiences.values() if audience.newcomers}
            await self.announce(new | self.stale)
        except Exception:
            logger.exception("presence could not be kept")

    async def record(self) -> None:
        """Write who came and went, and tell the other processes."""
        lease, now = self.hub.heartbeat.lease, self.hub.loop.time()
        lingering = {key for key in self.moved if now < self.left_at.get(key, -1e9) + settings.LEAVE_AFTER}
        lingering = {key for key in lingering if not self.tabs[key]}
        if lease is None or self.moved == lingering:
            return
        async with self.recording:  # or an older count could be written after a newer one
            moved, self.moved = self.moved - lingering, lingering
            try:
                await in_thread(rows.record, lease, {key: self.tabs[key] for key in sorted(moved)})
            except Exception:
                self.moved |= moved
                raise
        for key in moved:
            if not self.tabs[key]:
                del self.tabs[key]
                self.left_at.pop(key, None)
        for name in {name for name, _ in moved}:
            self.stale.add(name)
            await self.hub.doorbell.send(name, {"type": "presence", "name": name})

    # Telling

    async def on_heartbeat(self) -> None:
        """At the heartbeat: write what could not be written, and now and then see who went with a process that died."""
        await self.record()
        if self.hub.loop.time() < self.looked_at + LOOK:
            return
        self.looked_at = self.hub.loop.time()
        names = {name for name, _ in self.hub.audiences}
        self.told = {name: told for name, told in self.told.items() if name in names}
        self.told_at = {name: when for name, when in self.told_at.items() if name in names}
        await self.announce(names)

    def here(self, names: set[str]) -> Here:
        """Who is on the streams ``names`` with a page of this process."""
        here: Here = {name: ([], 0) for name in names}
        for (name, user_id), tabs in self.tabs.items():
            if name in here and tabs:
                people, anonymous = here[name]
                here[name] = ([*people, user_id], anonymous) if user_id else (people, anonymous + tabs)
        return here

    async def announce(self, names: set[str]) -> None:
        """Tell the pages of the streams ``names`` (set) who is here: those who are new, or all if that changed.

        Rows may not say yet that somebody came, and say nothing of a process that is late to renew its lease; of its
        own pages this one knows. Who comes meanwhile is told the next time.
        """
        self.stale -= names
        here = self.here(names)
        newcomers = {audience: set(audience.newcomers) for name in names for audience in self.hub.of(name)}
        counted = {name for name in names if shows(name, CountsReaders)}
        shown = {name: here[name] for name in names if shows(name, ShowsPeople)}
        counts = await in_thread(rows.readers, counted) if counted else {}
        counts = {name: max(count, len(here[name][0]) + here[name][1]) for name, count in counts.items()}
        people = await in_thread(who_is_on, shown) if shown else {}
        for name, now in [*counts.items(), *people.items()]:
            before = self.told.get(name)
            changed = before != now and self.is_due(name)
            if changed:
                self.told[name], self.told_at[name] = now, self.hub.loop.time()
            for audience in self.hub.of(name):
                fresh = newcomers.get(audience, set()) & audience.listeners
                audience.newcomers -= fresh
                if fresh:
                    await self.hand(audience, fresh, *self.changes(name, now))
                if changed and (others := audience.listeners - fresh):
                    await self.hand(audience, others, *self.changes(name, now, before))

    async def hand(self, audience: "Audience", listeners: "set[LiveConsumer]", what: str, *arguments: Any) -> None:
        """Tell ``listeners`` (set) of ``audience`` ``what`` its stream says: those of them who may hear it still."""
        if not listeners:
            return
        viewers = {listener.viewer for listener in listeners}
        text, refused = await in_thread(_told, audience.name, audience.language, viewers, what, *arguments)
        for listener in tuple(listeners & audience.listeners) if refused else ():
            if listener.viewer in refused:
                self.hub.dismiss(listener, audience.name, *refused[listener.viewer], Retry(listener, audience.cursor))
        if text:
            audience.hand(text, listeners & audience.listeners)

    def is_due(self, name: str) -> bool:
        """Whether the audiences of ``name`` may be told again. If not, they will be when they may."""
        size = sum(len(audience.listeners) for audience in self.hub.of(name))
        wait = self.told_at.get(name, -1e9) + size / DELIVERIES - self.hub.loop.time()
        if wait > 0:
            self.hub.loop.call_later(wait, self.on_presence, name)
        return wait <= 0

    def changes(self, name: str, now: Any, before: Any = None) -> tuple[Any, ...]:
        """What to tell the pages of ``name``, where ``now`` are and ``before`` were: the last arguments of ``hand``."""
        if shows(name, CountsReaders):
            return "readers", now
        people, anonymous = now
        was = set(people if before is None else before[0])
        joined, left = [user_id for user_id in people if user_id not in was], sorted(was.difference(people))
        return "people", people, anonymous, joined, left

    # Typing

    def whisper(self, name: str, user_id: str) -> None:
        """The person ``user_id`` types on the stream ``name``, on a page of this or of another process."""
        told = self.told.get(name)
        if not user_id or not shows(name, ShowsTyping) or (isinstance(told, tuple) and len(told[0]) > QUIET_ABOVE):
            return
        self.typing.setdefault(name, {})[user_id] = self.hub.loop.time()
        self.hub.loop.call_later(TYPING + 0.01, self.announce_typing, name)
        self.announce_typing(name)

    def stop_typing(self, name: str, user_id: str) -> None:
        """The person ``user_id`` types no longer on the stream ``name``: what they typed is said."""
        if self.typing.get(name, {}).pop(user_id, None):
            self.announce_typing(name)

    def announce_typing(self, name: str) -> None:
        """Tell the pages of ``name`` who is typing; each time anew, for on the page it fades away by itself."""
        now = self.hub.loop.time()
        typing = {user_id: at for user_id, at in self.typing.pop(name, {}).items() if now < at + TYPING}
        if typing:
            self.typing[name] = typing
        said, said_at = self.typing_told.get(name, ([], 0))
        if said == list(typing) and (not typing or now < said_at + 1):
            return
        self.typing_told[name] = list(typing), now
        if not typing:
            del self.typing_told[name]
        self.hub.spawn(self._announce_typing(name, list(typing)))

    async def _announce_typing(self, name: str, typing: list[str]) -> None:
        try:
            for audience in self.hub.of(name):
                themselves = {one for one in audience.listeners if one.user_id in typing}
                await self.hand(audience, audience.listeners - themselves, "typing", typing[:NAMED])
                for user_id in {one.user_id for one in themselves}:
                    pages = {one for one in themselves if one.user_id == user_id}
                    await self.hand(audience, pages, "typing", [one for one in typing if one != user_id][:NAMED])
        except Exception:
            logger.exception("typing could not be told")


def shows(name: str, presence: Any) -> bool:
    """Whether the pages of the stream ``name`` show this kind of presence (``CountsReaders``, …)."""
    return issubclass(kind_of(name), presence)


def kind_of(name: str) -> Any:
    return kinds[name.partition(":")[0]]


def who_is_on(ours: Here) -> dict[str, tuple[tuple[str, ...], int]]:
    """As ``rows.people``, and ``ours``, say of the streams of ``ours``, without those who are hidden."""
    here = rows.people(ours)
    for name, (mine, anonymous) in ours.items():
        people, others = here[name]
        here[name] = tuple(dict.fromkeys([*people, *mine])), max(others, anonymous)
    everybody: dict[Any, set[str]] = {kind_of(name): set() for name in ours}
    for name, (people, _) in here.items():
        everybody[kind_of(name)].update(people)
    hidden = {kind: kind.hidden(among) for kind, among in everybody.items() if among}
    return {
        name: (tuple(user_id for user_id in people if user_id not in hidden[kind_of(name)]), anonymous)
        for name, (people, anonymous) in here.items()
    }


def _told(name: str, language: str, viewers: set[Viewer], what: str, *arguments: Any) -> tuple[str, Refused]:
    """→ ``(text, refused)``: what the stream ``name`` says, and who of ``viewers`` may not hear it (as ``ask``)."""
    with translation.override(language):
        stream = find(name)
        text = getattr(stream, what)(*arguments) if stream else ""
        _, refused = ask(name, stream, viewers)
        return text, refused

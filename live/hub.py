"""The hub: one per process. It hears rings, renders each delta once, and hands it to every listener.

Listeners of one stream in one language form an *audience*: all are at the same cursor, so one text serves
them all. A newcomer with an older cursor gets a delta of its own first and is counted in without an
``await`` between learning the head and joining, so that nothing falls between. Rings that arrive while a
delta is being rendered merge into the next one: bursts batch by themselves.

Nothing is queued for a listener. One that does not read leaves its audience (it is *paused*) and catches up
from its cursor when it reads again, or is cut off.
"""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from django.db import DatabaseError
from django.utils.module_loading import import_string

from live import lease as leases
from live import metrics
from live.asgi import Application, Receive, Scope, Send
from live.conf import languages
from live.deltas import Composed, compose
from live.doorbell import Doorbell, Event
from live.heartbeat import Heartbeat
from live.models import Lease
from live.retries import Retry, stop_retrying
from live.streams import kinds
from live.threads import in_thread
from live.viewers import Viewer

if TYPE_CHECKING:
    from live.consumers import LiveConsumer

logger = logging.getLogger("live")

SHARED = 1  # seconds for which those who missed the same share what was composed
SHARED_AT_ONCE, SHARED_LENGTH = 500, 20_000  # so many texts of so many characters; what is more, the cache has

_hub: "Hub | None" = None


def ring(moved: dict[str, int]) -> None:
    """Announce the new heads of streams (dict of name to int); from any thread, never waits, never raises.

    A process without a hub (a command) rings nobody: the heartbeats of the others find its rows.
    """
    if _hub and not _hub.loop.is_closed():
        _hub.loop.call_soon_threadsafe(_hub.ring, moved)


def whisper(name: str, event: Event) -> None:
    """Let all processes hear the ``event`` (dict) on the stream ``name``, unrecorded; from any thread, as ``ring``."""
    if (hub := _hub) and not hub.loop.is_closed():
        hub.loop.call_soon_threadsafe(lambda: hub.spawn(hub.whisper(name, event)))


def serving(application: Application) -> Application:
    """Wrap the ASGI ``application`` (callable) so that its process has a hub from its first request on.

    Raises ``ImproperlyConfigured`` if another process is alive and the channel layer cannot reach it. A
    database that has no tables yet is left to the heartbeat.
    """
    lease: Lease | None = None
    with ThreadPoolExecutor(1) as thread, suppress(DatabaseError):  # a server may import us in its event loop
        lease = thread.submit(leases.claim).result()

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        here(lease)
        await application(scope, receive, send)

    return serve


def here(lease: Lease | None = None) -> "Hub":
    """The hub of this process; the first call, from within the event loop, starts it with ``lease``."""
    global _hub
    loop = asyncio.get_running_loop()
    if _hub is None or _hub.loop is not loop:
        _hub = Hub(loop, lease)
        _hub.spawn(_hub.doorbell.hear())
        _hub.spawn(_hub.heartbeat.run())
        _hub.spawn(_hub.heartbeat.keep_alive())
    return _hub


class Audience:
    """The listeners (set) of the stream ``name`` in one ``language``, all at one ``cursor``; a subscriber of the hub.

    ``head`` is the newest tick heard of; ``busy`` while a delta is under way; ``viewers`` counts whose pages
    they are, all of whom were asked for their right; ``newcomers`` were not told yet who is here.
    """

    def __init__(self, hub: "Hub", name: str, language: str, cursor: int) -> None:
        self.hub = hub
        self.name = name
        self.language = language
        self.cursor = self.head = cursor
        self.listeners: set[LiveConsumer] = set()
        self.viewers: Counter[Viewer] = Counter()
        self.newcomers: set[LiveConsumer] = set()
        self.busy = False
        self.rung_at = 0.0  # when the head was heard of

    def add(self, listener: "LiveConsumer") -> None:
        metrics.LISTENERS.inc()
        self.listeners.add(listener)
        self.viewers[listener.viewer] += 1

    def discard(self, listener: "LiveConsumer") -> None:
        metrics.LISTENERS.dec()
        self.listeners.discard(listener)
        self.newcomers.discard(listener)
        self.viewers[listener.viewer] -= 1
        self.viewers += Counter()  # drops those of whom no page is left

    def on_head(self, name: str, head: int) -> None:
        """Bring the listeners up to ``head``, unless they are there."""
        if head > self.head:
            self.head = head
            self.rung_at = self.hub.loop.time()
            metrics.RINGS.inc()
        if self.cursor < self.head and not self.busy:
            self.busy = True
            self.hub.spawn(self.hub.deliver(self))

    def hand(self, text: str, listeners: "Iterable[LiveConsumer] | None" = None) -> None:
        listeners = tuple(self.listeners if listeners is None else listeners)
        for listener in listeners:
            listener.take(text, shared=True)
        metrics.DELIVERIES.inc(len(listeners))


class Subscriber(Protocol):
    """What hears of the heads of streams."""

    def on_head(self, name: str, head: int) -> None: ...


class Coming:
    """A subscriber that keeps a stream rung for a page that is about to listen."""

    def on_head(self, name: str, head: int) -> None:
        pass


class Hub:
    """``subscribers`` (by stream name; each in its order of coming) hear of its heads, by ``on_head(name, head)``.

    The audiences of open pages are such; and kept pages, or whatever wants to know that a stream moved.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, lease: Lease | None) -> None:
        self.loop = loop
        self.doorbell, self.heartbeat = Doorbell(self), Heartbeat(self, lease)
        self.subscribers: defaultdict[str, dict[Subscriber, bool]] = defaultdict(dict)
        self.listeners: set[LiveConsumer] = set()  # all that are live, each once
        self.audiences: dict[tuple[str, str], Audience] = {}  # (name, language) -> Audience
        # (name, language, since) -> future of what was composed for it
        self.catching_up: dict[tuple[str, str, int], asyncio.Future[Composed]] = {}
        bases = {base for kind in kinds.values() for base in kind.__mro__}
        paths = {vars(base)["hub_part"] for base in bases if "hub_part" in vars(base)}
        self.parts = [import_string(path)(self) for path in sorted(paths)]  # optional ones: live/presence/
        self.tasks: set[asyncio.Task[None]] = set()

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        task = self.loop.create_task(coroutine)
        self.tasks.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(self.tasks.discard)

    # Rings

    def ring(self, moved: dict[str, int]) -> None:
        for name, head in moved.items():
            self.on_head(name, head)
        self.doorbell.publish(moved)

    def dispatch(self, event: Event) -> None:
        if event["type"] == "ring":
            self.on_head(event["name"], event["head"])
        for part in self.parts:
            part.dispatch(event)

    def on_head(self, name: str, head: int) -> None:
        """Tell the subscribers of ``name`` that its head is ``head``, or newer."""
        for subscriber in tuple(self.subscribers.get(name, ())):
            subscriber.on_head(name, head)

    def of(self, name: str) -> list[Audience]:
        return [self.audiences[name, code] for code in languages() if (name, code) in self.audiences]

    async def deliver(self, audience: Audience) -> None:
        try:
            while audience.listeners and audience.cursor < audience.head:
                before, rung_at = audience.cursor, audience.rung_at
                text, head, refused, _ = await in_thread(
                    compose, audience.name, audience.language, before, set(audience.viewers)
                )
                for listener in [each for each in audience.listeners if each.viewer in refused] if refused else ():
                    retry = Retry(listener, before, audience.head)
                    self.dismiss(listener, audience.name, *refused[listener.viewer], retry)
                audience.cursor = max(before, head)
                if text:
                    metrics.DELTAS.inc()
                    audience.hand(text)
                    metrics.POST_TO_PAGE.observe(self.loop.time() - rung_at)
                if audience.cursor == before:
                    audience.head = before
        except Exception:
            audience.head = audience.cursor  # the heartbeat will see the difference and try again
            logger.exception("%s could not be delivered", audience.name)
        finally:
            audience.busy = False

    def dismiss(self, listener: "LiveConsumer", name: str, farewell: str, code: int | None, retry: Retry) -> None:
        """Tell a listener that may hear ``name`` no longer so (``farewell``, str), and let it hear no more of it.

        With a ``code`` (int) its socket is closed, and it hears no more of anything. Without, ``retry`` waits for its
        right to return, and it is told no second time.
        """
        for lost in tuple(listener.audiences) if code else (name,):
            self.leave(listener, lost)
        if farewell and name not in listener.retries:
            listener.take(farewell)
        if code:
            stop_retrying(listener)
            listener.close(code)
        else:
            retry.start(name)

    # Listeners

    async def join(self, listener: "LiveConsumer", name: str, cursor: int) -> int:
        """Count ``listener`` in on the stream ``name``, having told it what changed since ``cursor`` (int).

        → the number of characters that it took to tell it
        """
        coming = Coming()  # or one who leaves meanwhile, this very page it may be, takes the group along
        try:
            await self.subscribe(coming, [name])
            return await self._join(listener, name, cursor)
        finally:
            self.unsubscribe(coming, [name])

    async def _join(self, listener: "LiveConsumer", name: str, cursor: int) -> int:
        length = 0
        while True:
            audience = self.audiences.get((name, listener.language))
            if audience is None or audience.cursor != cursor or listener.viewer not in audience.viewers:
                text, head, refused, _ = await self.catch_up(listener, name, cursor)
                length += len(text)
                if refused:
                    self.dismiss(listener, name, *refused[listener.viewer], Retry(listener, cursor))
                    return length
                if text and not listener.take(text):
                    listener.pending[name] = head
                    return length
                cursor = head
                audience = self.audiences.get((name, listener.language))
            if listener.disconnected or listener.closing or name in listener.audiences:
                return length
            # From here to the counting in nothing may await.
            if audience is None:
                audience = self.audiences[name, listener.language] = Audience(self, name, listener.language, cursor)
                self.subscribers[name][audience] = True
                metrics.STREAMS.set(len(self.audiences))
            if cursor >= audience.cursor:
                break
        audience.add(listener)
        listener.audiences[name] = audience
        stop_retrying(listener, name)
        self.on_head(name, cursor)
        for part in self.parts:
            part.join(listener, audience)
        return length

    async def catch_up(self, listener: "LiveConsumer", name: str, since: int) -> Composed:
        """Compose what ``listener`` missed since the tick ``since`` (int). → ``Composed``

        Shared for a moment by all who missed the same: after a restart they come by the thousand. What is a moment
        old brings them near, and the loop in ``join`` the rest of the way.
        """
        key = name, listener.language, since
        composing = self.catching_up.get(key)
        if mine := composing is None:
            metrics.CATCH_UPS.inc()
            asking = in_thread(compose, name, listener.language, since, {listener.viewer})
            composing = self.catching_up[key] = asyncio.ensure_future(asking)
            composing.add_done_callback(partial(self.share, key))
        composed = await asyncio.shield(composing)
        if mine or (composed.public and composed.head > since):  # what leads nowhere may be out of date
            return composed
        return await in_thread(compose, name, listener.language, since, {listener.viewer})

    def share(self, key: tuple[str, str, int], composing: asyncio.Future[Composed]) -> None:
        """Keep for a moment what was composed for the ``key``; not so many of them, nor so long, that it matters."""
        failed = composing.cancelled() or composing.exception()
        few = len(self.catching_up) <= SHARED_AT_ONCE
        if failed or not composing.result().public or len(composing.result().text) > SHARED_LENGTH or not few:
            del self.catching_up[key]
        else:
            self.loop.call_later(SHARED, self.catching_up.pop, key)

    def leave(self, listener: "LiveConsumer", name: str) -> int | None:
        """Forget ``listener`` on ``name``. Returns the cursor it was at (int), or None if it was not there."""
        audience = listener.audiences.pop(name, None)
        if audience is None:
            return None
        audience.discard(listener)
        if not audience.listeners and self.audiences.get((name, audience.language)) is audience:
            del self.audiences[name, audience.language]
            metrics.STREAMS.set(len(self.audiences))
            self.unsubscribe(audience, [name])
        for part in self.parts:
            part.leave(listener, audience)
        return audience.cursor

    async def subscribe(self, subscriber: Subscriber, names: Iterable[str]) -> None:
        """Let ``subscriber`` hear of the heads of the streams ``names`` (iterable of str) until it is unsubscribed."""
        for name in names:
            self.subscribers[name][subscriber] = True
        for name in names:
            await self.doorbell.join(name)

    def unsubscribe(self, subscriber: Subscriber, names: Iterable[str]) -> None:
        for name in names:
            self.subscribers[name].pop(subscriber)
            if not self.subscribers[name]:
                del self.subscribers[name]
                self.spawn(self.doorbell.leave(name))

    # Whispers

    async def whisper(self, name: str, event: Event) -> None:
        """Let all processes hear the ``event`` (dict) on the stream ``name``; nothing is recorded."""
        event |= {"name": name}
        if name not in self.doorbell.groups:
            self.dispatch(event)
        await self.doorbell.send(name, event)

"""LiveConsumer, the only consumer: one open page.

Upward a page says which streams it shows and what it has seen of them (and may whisper); downward it gets
finished HTML. It is plain ASGI and not Channels' ``AsyncConsumer``, whose dispatch visits a database thread
at every message and whose layer channel costs a Redis subscription for every page.
"""

import asyncio
import logging
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, cast

from django.conf import settings as django_settings

from live import hub, metrics
from live.asgi import Receive, Send
from live.conf import languages
from live.connection import heartbeat
from live.cursors import heads
from live.limits import Limits
from live.messages import NOT_WELCOME, STREAMS, TOO_MANY, TRY_AGAIN, Close, counted, read, sorry, stream_name
from live.retries import Retry, stop_retrying
from live.stepped import Rest, read_out
from live.streams import kinds, name_of
from live.viewers import Viewer

logger = logging.getLogger("live")

WHISPER_EVERY = 2.5  # seconds between two whispers of one page; those between are dropped (a page waits for 3)
HEARD_OUT = 2  # seconds in which a page that is one too many may still say what it came for
STALL = 15  # seconds in which a listener must have read something of what it is sent, or it is cut off
LOOK = 1  # second after which we look again whether it has


class LiveConsumer:
    """One listener: ``viewer`` and ``user_id`` say whose page it is, ``audiences`` which streams it is on.

    A person's page is on the person's ``own`` stream before it is on any other, whatever it says: with the session
    ends all. While it does not read, it is paused: ``pending`` keeps the cursors from which it catches up.
    """

    def __init__(self, session: str | None, send: Send, line: Any = None) -> None:
        self.viewer = Viewer(session)
        self.user_id = ""
        self.own: str | None = None  # the name of the person's own stream, if people are watched here
        self.language = django_settings.LANGUAGE_CODE
        self.hub = hub.here()
        self.send = send
        self.line = line  # the server's short way to the transport, if it has one: live/http/uvicorn.py
        self.audiences: dict[str, hub.Audience] = {}
        self.pending: dict[str, int] = {}
        self.streams_named: set[str] = set()  # the streams that the page has named
        self.again: set[str] = set()  # those among them of which it asked to be told anew
        self.paused: asyncio.Future[None] | None = None
        self.retries: dict[str, Retry] = {}  # by the name of a stream that it may not hear now
        self.task: asyncio.Task[None] | None = None
        self.disconnected = False
        self.closing = False  # it was told why, and hears no more
        self.limits, self.whispered_at = Limits(), 0.0

    async def run(self, receive: Receive, address: str = "") -> None:
        """Listen until the page leaves; ``address`` (str) is the one that it came from."""
        self.task = asyncio.current_task()
        metrics.CONNECTIONS.inc()
        try:
            if await self.is_one_too_many(address):
                metrics.REFUSED.labels("too many").inc()
                await self.turn_away(receive)
            while (message := await receive())["type"] != "websocket.disconnect":
                await self.hear(message.get("text"))
        except Close as close:
            self.take(sorry(self.language, close.code))
            self.take(heartbeat(self.language, "ended"))
            await self.send({"type": "websocket.close", "code": close.code})
        except OSError:  # the page left while it was told something
            logger.debug("a page left", exc_info=True)
        except Exception:
            logger.exception("a page could not be served: it may come back")
            with suppress(Exception):
                await self.send({"type": "websocket.close", "code": TRY_AGAIN})
        except asyncio.CancelledError:
            if not self.disconnected:  # the server ends us
                raise
            # We were cut off: if this is not read either, the server drops the line.
            with suppress(Exception, asyncio.CancelledError):
                await asyncio.wait_for(self.send({"type": "websocket.close", "code": TRY_AGAIN}), 1)
        finally:
            self.disconnected = True
            self.hub.listeners.discard(self)
            stop_retrying(self)
            metrics.CONNECTIONS.dec()
            self.limits.leave()
            if self.paused:
                self.paused.cancel()
            for name in tuple(self.audiences):
                self.hub.leave(self, name)

    # Upward

    async def is_one_too_many(self, address: str) -> bool:
        """Count this socket, once it is known whose it is. → whether too many are open for the same (bool)

        Only what somebody is counts: neither an address that is not known nor a session that is nobody's stands for
        one, for many others are that, too.
        """
        if self.limits.of_address(address):
            return True
        person = await hub.in_thread(self.viewer.person) if self.viewer.session else None
        if person is None or not person.pk:
            return False
        self.user_id, own = str(person.pk), name_of(person)
        self.own = own if own.partition(":")[0] in kinds else None
        return self.limits.of_person(self.user_id)

    async def turn_away(self, receive: Receive) -> None:
        """Raise ``Close``, but hear the page out before: what it sends to a closed socket would wipe our answer."""
        with suppress(TimeoutError):
            message = await asyncio.wait_for(receive(), HEARD_OUT)
            self.speak(read(message.get("text")).get("language"))
        raise Close(TOO_MANY)

    def speak(self, language: object) -> None:
        """Tell the page in ``language`` (a code) from now on, if it is one of ours."""
        self.language = next((code for code in languages() if code == language), self.language)

    async def hear(self, text: object) -> None:
        """One message: the form of ``{% live %}``, or a whisper. Raises ``Close`` for anything else."""
        if self.limits.message():
            raise Close(NOT_WELCOME)
        if self.closing:
            return
        message = read(text)
        message.pop("headers", None)
        self.speak(message.pop("language", None))
        whispered = message.pop("whisper", None)
        if whispered is not None:
            return await self.whisper(whispered)
        cursors = {stream_name(signed): counted(tick) for signed, tick in message.items()}
        named_before, self.streams_named = self.streams_named, self.streams_named | cursors.keys()
        if len(self.streams_named) > STREAMS:
            raise Close(NOT_WELCOME)
        for name, cursor in (await self.own_first(cursors)).items():
            if self.closing or self.cursor_of(name) == cursor:
                continue
            if name in named_before:
                if self.limits.again():
                    raise Close(NOT_WELCOME)
                self.again.add(name)
            if self.paused:
                self.pending[name] = cursor
            else:
                self.hub.leave(self, name)
                await self.join(name, cursor)
        if self not in self.hub.listeners:  # it has all that it missed: from now on it is live
            self.hub.listeners.add(self)
            self.take(heartbeat(self.language))

    async def own_first(self, cursors: dict[str, int]) -> dict[str, int]:
        """The ``cursors`` (dict of stream name to tick), the person's own stream before the others if it lacks."""
        if not self.own or self.paused or self.own in self.audiences:
            return cursors
        cursor = cursors.get(self.own)
        if cursor is None:
            [cursor] = (await hub.in_thread(heads, [self.own])).values()
        return {self.own: cursor} | cursors

    def cursor_of(self, name: str) -> int | None:
        """The cursor (int) at which this page, in its language, is on the stream ``name``, or None."""
        if self.paused:
            return self.pending.get(name)
        audience = self.audiences.get(name)
        return audience.cursor if audience and audience.language == self.language else None

    async def join(self, name: str, cursor: int) -> None:
        length = await self.hub.join(self, name, cursor)
        if name in self.again:
            self.again.discard(name)
            self.limits.told_again(length)

    async def whisper(self, signed: object) -> None:
        name = stream_name(signed)
        now = time.monotonic()
        if self.user_id and name in self.audiences and now - self.whispered_at >= WHISPER_EVERY:
            self.whispered_at = now
            await self.hub.whisper(name, {"type": "whisper", "user_id": self.user_id})

    # Downward

    def take(self, text: str, shared: bool = False) -> bool:
        """Send ``text`` without waiting; if others are sent it as well, it is ``shared``. → whether it went out at once

        The coroutine of ``send`` is stepped by hand: almost always it finishes in that one step, at the cost
        of a function call. One that does not finish has met a full socket: the listener is paused.
        """
        if self.disconnected or self.paused or self.closing:
            return False
        if self.line and shared and self.line.write(text):
            return True
        sending = cast(Coroutine[Any, Any, None], self.send({"type": "websocket.send", "text": text}))
        try:
            blocker = sending.send(None)
        except StopIteration:
            return True
        except Exception as error:  # too large for this server, or the page left this moment
            logger.warning("a text of %s characters could not be sent (%s)", len(text), type(error).__name__)
            self.cut()
            return False
        metrics.PAUSED.inc()
        self.paused = asyncio.ensure_future(self.pause(Rest(sending, blocker)))
        self.pending = {name: self.hub.leave(self, name) or 0 for name in tuple(self.audiences)}
        return False

    async def pause(self, rest: Rest) -> None:
        """Out of all audiences until the rest of a text is read; then catch up, or be cut off.

        However slow the line is, it is not cut as long as something of the text leaves, where the server tells us that.
        """
        reading = asyncio.ensure_future(read_out(rest))
        unsent, since = self.unsent(), time.monotonic()
        try:
            while not (await asyncio.wait({reading}, timeout=min(LOOK, STALL)))[0]:
                left = self.unsent()
                if left < unsent:
                    unsent, since = left, time.monotonic()
                elif time.monotonic() - since >= STALL:
                    raise TimeoutError
            reading.result()
        except Exception as error:
            logger.info("a listener was cut off (%s)", type(error).__name__)
            return self.cut()
        finally:
            reading.cancel()
        self.paused = None
        pending, self.pending = self.pending, {}
        for name, cursor in pending.items():
            await self.join(name, cursor)

    def unsent(self) -> int:
        """How many bytes (int) wait for the page to read, as far as the server tells."""
        return self.line.unsent() if self.line else 0

    def cut(self) -> None:
        """End the socket of one that cannot be told anything: it may come back and catch up."""
        metrics.CUT.inc()
        self.disconnected = True
        if self.task:
            self.task.cancel()

    def close(self, code: int) -> None:
        """End the socket with ``code`` (int) from outside of ``run``."""
        if code != TRY_AGAIN:
            self.take(heartbeat(self.language, "ended"))
        self.closing = True
        self.hub.spawn(self._close(code))

    async def _close(self, code: int) -> None:
        try:
            await asyncio.wait_for(self.send({"type": "websocket.close", "code": code}), STALL)
        except Exception as error:
            logger.info("a socket was closed already (%s)", type(error).__name__)

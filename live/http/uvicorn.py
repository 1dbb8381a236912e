"""uvicorn, fitted: ``--ws live.http.uvicorn:LiveProtocol --http live.http.uvicorn:RequestProtocol``.

Downward a short way to the transport: a text for many is encoded once, and each socket costs one ``write``. Upward
limits of what arrives. With uvicorn's own protocols everything works the same through plain ASGI, more slowly, and
without these limits.
"""

import logging
import random
import socket
import struct
from collections.abc import Callable
from functools import lru_cache
from os import write
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import ProtocolError
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol

from live import metrics
from live.conf import settings
from live.http.limits import LATE, LINGER_SIZE, MESSAGE, UNSENT, FrameCount, head, linger, unread

PIECE = 4096  # bytes that are looked at before the application has its turn
RESET = struct.pack("ii", 1, 0)


@lru_cache(4)  # whoever is sent the same is sent it in the same moment
def encode(text: str) -> bytes:
    """The WebSocket frame (bytes) of ``text`` (str), unmasked and whole, as a server sends it (RFC 6455, 5.2)."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


def cut(transport: Any) -> None:
    """End a line at once, with what is unread of it: closed in order, the kernel would keep that for minutes."""
    if not transport.is_closing() or transport.get_write_buffer_size():
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        transport.abort()


class CountedFrames(ServerProtocol):
    """The protocol's rules, which end a socket when ``FrameCount`` says so."""

    def __init__(self) -> None:
        super().__init__(max_size=MESSAGE, logger=logging.getLogger("uvicorn.error"))
        self.count = FrameCount()

    def recv_frame(self, frame: Frame) -> None:
        refused = self.count.take(frame.opcode, frame.fin, len(frame.data), is_read=self.close_sent is None)
        if refused:
            code, why = refused
            metrics.REFUSED.labels(why).inc()
            self.fail(code, why)
            raise ProtocolError(why)
        super().recv_frame(frame)


class LiveProtocol(WebSocketsSansIOProtocol):
    """uvicorn's own protocol, which lends itself to the application as the extension ``live.line``.

    It ends the line of one that never reads: uvicorn closes it, which waits for what is unread to be read. And it
    counts what arrives (``FrameCount``), and hears no more messages than the application takes.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.conn = CountedFrames()
        self.unheard, self.dropped = b"", 0

    def connection_made(self, transport: Any) -> None:
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # or the kernel takes megabytes before anybody notices
            line = transport.get_extra_info("socket")
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
        plain = transport.get_extra_info("sslcontext") is None
        self.descriptor = transport.get_extra_info("socket").fileno() if plain else None
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self.conn.parser_exc:
            self.dropped += len(data)
            if self.dropped > LINGER_SIZE:
                cut(self.transport)
        elif self.unheard or len(data) > PIECE:
            self.unheard += data
            self.hear()
        else:
            super().data_received(data)

    def hear(self) -> None:
        """Look at what arrived, until there is a message: the rest waits for the application to take that."""
        while self.unheard and not self.read_paused and not self.transport.is_closing():
            piece, self.unheard = self.unheard[:PIECE], self.unheard[PIECE:]
            super().data_received(piece)

    async def receive(self) -> Any:
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self.hear()
            if not self.read_paused and not self.transport.is_closing():
                self.transport.resume_reading()
        return message

    def handle_ping(self) -> None:
        """Answer, unless earlier answers are not read yet: only the last ping wants one (RFC 6455, 5.5.3)."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def handle_parser_exception(self) -> None:
        if self.close_sent:  # by the application: the rest is dropped until uvicorn has waited for an answer to that
            self.unheard = b""
        elif self.conn.close_sent:
            super().handle_parser_exception()
            self.loop.call_later(linger(), cut, self.transport)
        else:  # before the handshake was answered
            self.transport.abort()

    def on_task_complete(self, task: Any) -> None:
        super().on_task_complete(task)
        self.hear()
        self.give_up()

    def send_keepalive_ping(self) -> None:
        super().send_keepalive_ping()
        self.unsent_at_ping = self.unsent()

    def keepalive_timeout(self) -> None:
        """No answer came in time to a ping; one that waits behind what a slow line still takes is no sign of death."""
        unsent = self.unsent()
        if 0 < unsent < self.unsent_at_ping:
            self.unsent_at_ping = unsent
            self.pong_timer = self.loop.call_later(self.ping_timeout or 0, self.keepalive_timeout)
            return
        super().keepalive_timeout()
        self.give_up()

    def give_up(self) -> None:
        if not self.writable.is_set():
            cut(self.transport)

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"]["live.line"] = self  # type: ignore[assignment]

    def write(self, text: str) -> bool:
        """Write ``text`` (str). → whether it was taken: not if the peer does not read, or left.

        Straight to the kernel when nothing waits before it. A transport that is closing has given its descriptor
        back, perhaps to somebody else.
        """
        transport, frame = self.transport, encode(text)
        if self.close_sent or transport.is_closing():
            return False
        if self.descriptor is None or transport.get_write_buffer_size():
            if not self.writable.is_set():
                return False
            transport.write(frame)
            return True
        try:
            sent = write(self.descriptor, frame)
        except BlockingIOError:
            sent = 0
        except OSError:  # the transport will hear of it
            return False
        if sent < len(frame):
            transport.write(frame[sent:])
        return True

    def unsent(self) -> int:
        """How many bytes (int) wait to leave: fewer and fewer if the page reads, however slowly."""
        return self.transport.get_write_buffer_size()

    def shutdown(self) -> None:
        """The server ends: the pages come back to other processes, but not all in the same moment."""
        self.loop.call_later(random.uniform(0, settings.SPREAD), self.leave)

    def leave(self) -> None:
        super().shutdown()
        self.give_up()


class RequestProtocol(HttpToolsProtocol):
    """uvicorn's own protocol, which does not wait for ever for a request's head, nor for an answer to be read.

    Between the two the application has its turn, for which ``bodies.py`` hears the body.
    """

    timer: Any = None
    unread: Any = None
    running: Any = None
    upgraded = False
    dropped = 0  # bytes of bodies that came after their answers

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.wait(head(), self.late)

    def connection_lost(self, exc: Exception | None) -> None:
        self.arrived()
        self.be_read()
        super().connection_lost(exc)
        if self.running:  # it may be another one than the newest
            self.running.disconnected = True
            self.running.message_event.set()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle and not self.cycle.response_complete:
            if self.timer:
                self.arrived()
        elif not self.timer and not self.upgraded:
            self.wait(head(), self.late)

    def handle_websocket_upgrade(self) -> None:
        self.upgraded = True
        self.arrived()
        super().handle_websocket_upgrade()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self.running = cycle
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        if self.cycle and self.cycle.response_complete:
            self.dropped += len(body)
            if self.dropped > LINGER_SIZE:
                self.transport.close()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.more_body and self.cycle.response_complete:  # it is not another one that waits for its turn
            self.wait(linger(), self.transport.close)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.unread = self.loop.call_later(unread(), cut, self.transport)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.be_read()

    def wait(self, seconds: float, then: Callable[[], object]) -> None:
        """Call ``then()`` unless a head has ``arrived`` within ``seconds``."""
        self.timer = self.loop.call_later(seconds, then)

    def arrived(self) -> None:
        if self.timer:
            self.timer.cancel()
            self.timer = None

    def be_read(self) -> None:
        if self.unread:
            self.unread.cancel()
            self.unread = None

    def late(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(LATE)
            self.transport.close()

"""An optional short way to the transport, for uvicorn: ``--ws live.fast:LiveProtocol``.

A text for many is encoded once, and each socket costs one ``write``. Without it (daphne, any other server)
everything works the same through plain ASGI, more slowly.
"""

import os
import random
import socket
from os import write

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode

UNSENT = 131_072  # bytes of a socket that the kernel may hold before we hear that its page does not read
SPREAD = float(os.environ.get("SPREAD", 10))  # seconds over which a process that ends sends its pages away


def encode(text):
    """The WebSocket frame (bytes) of ``text`` (str), unmasked and whole, as a server sends it (RFC 6455, 5.2)."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


class LiveProtocol(WebSocketsSansIOProtocol):
    """uvicorn's own protocol, which lends itself to the application as the extension ``live.line``.

    And which ends the line of one that never reads: uvicorn closes it, which waits for what is unread to be read.
    """

    def connection_made(self, transport):
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # or the kernel takes megabytes before anybody notices
            line = transport.get_extra_info("socket")
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
        plain = transport.get_extra_info("sslcontext") is None
        self.descriptor = transport.get_extra_info("socket").fileno() if plain else None
        super().connection_made(transport)

    def on_task_complete(self, task):
        super().on_task_complete(task)
        self.give_up()

    def keepalive_timeout(self):
        super().keepalive_timeout()
        self.give_up()

    def give_up(self):
        if not self.writable.is_set():
            self.transport.abort()

    def handle_connect(self, event):
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"]["live.line"] = self

    def write(self, frame):
        """Write an encoded ``frame`` (bytes). → whether it was taken: not if the peer does not read, or left.

        Straight to the kernel when nothing waits before it. A transport that is closing has given its descriptor
        back, perhaps to somebody else.
        """
        transport = self.transport
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

    def shutdown(self):
        """The server ends: the pages come back to other processes, but not all in the same moment."""
        self.loop.call_later(random.uniform(0, SPREAD), self.leave)

    def leave(self):
        super().shutdown()
        self.give_up()

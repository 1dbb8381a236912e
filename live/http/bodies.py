"""The bodies of requests: refused before they are read if they are too large, and dropped if they do not come."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

from django.conf import settings as django_settings

from live.asgi import Application, Message, Receive, Scope, Send
from live.conf import settings
from live.http.limits import patience

UNKNOWN = float("inf")
OF_BODIES = {b"content-length", b"content-type", b"transfer-encoding"}


class Bodies:
    """ASGI middleware in front of ``application``.

    ``refuse(scope, send, status)`` (async) answers in its stead: 413 for a body that is too large, 408 for one that
    arrives too slowly.
    """

    def __init__(self, application: Application, refuse: Callable[[Scope, Send, int], Awaitable[None]]) -> None:
        self.application, self.refuse = application, refuse

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        length, most = announced(scope["headers"])
        if not length:
            return self.application(scope, receive, send)
        if most < length < UNKNOWN:
            return self.refuse(scope, send, 413)
        return self.listen(most, scope, receive, send)

    async def listen(self, most: int, scope: Scope, receive: Receive, send: Send) -> None:
        body = Body(most, receive, send)
        try:
            await self.application(scope, body.receive, body.send)
        except Refused as refused:
            if not body.answered:
                await self.refuse(scope, send, refused.status)


class Refused(Exception):
    """The rest of a body is not wanted; ``status`` (int) says why."""

    def __init__(self, status: int) -> None:
        self.status = status


class Body:
    """A body on its way: at most ``most`` bytes. ``receive`` and ``send`` are ASGI's."""

    def __init__(self, most: int, receive: Receive, send: Send) -> None:
        self.most, self._receive, self._send = most, receive, send
        self.since, self.received = time.monotonic(), 0
        self.complete = self.answered = False

    async def receive(self) -> Message:
        """The next part. Raises ``Refused`` if there is too much, or if it does not come."""
        if self.complete:
            return await self._receive()
        try:
            async with asyncio.timeout(patience(self.since, self.received)):
                message = await self._receive()
        except TimeoutError:
            raise Refused(408) from None
        self.received += len(message.get("body", b""))
        if self.received > self.most:
            raise Refused(413)
        self.complete = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        self.answered = True
        await self._send(message)


def announced(headers: Iterable[tuple[bytes, bytes]]) -> tuple[float, int]:
    """What ``headers`` (pairs of bytes, the names in lower case) say of the body.

    → its length (int; infinite if nobody says it before it ends, 0 if there is none), and how long it may be
    """
    length: float = 0
    most: int = django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    for name, value in headers:
        if name not in OF_BODIES:
            continue
        if name == b"content-length":
            length = int(value) if value.isdigit() and len(value) < 18 else UNKNOWN
        elif name == b"transfer-encoding":
            length = UNKNOWN
        elif value.lower().startswith(b"multipart/form-data"):
            most = settings.UPLOAD_MAX_SIZE
    return length, most

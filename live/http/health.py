"""``/healthz``, ``/readyz`` and ``/metrics``: answered by the process itself, ahead of Django."""

import asyncio
from collections.abc import Awaitable, Callable

from django.db import connection

from live import hub
from live.asgi import Application, Receive, Scope, Send
from live.doorbell import group

try:
    import prometheus_client
except ImportError:  # the extra "metrics" is not installed
    prometheus_client = None  # type: ignore[assignment]

Answer = tuple[int, bytes, bytes]  # the status, the type of the content, the content

PATIENCE = 3  # seconds in which the database and the channel layer must answer


class Health:
    """ASGI middleware in front of ``application``."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.answers: dict[str, Callable[[Scope], Awaitable[Answer]]] = {"/healthz": self.alive, "/readyz": self.ready}
        if prometheus_client:
            self.answers["/metrics"] = self.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = scope["type"] == "http" and self.answers.get(scope["path"])
        if not answer:
            return await self.application(scope, receive, send)
        status, kind, body = await answer(scope)
        headers = [(b"content-type", kind), (b"cache-control", b"no-store"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def alive(self, scope: Scope) -> Answer:
        return 200, b"text/plain", b"alive\n"

    async def ready(self, scope: Scope) -> Answer:
        """200 if the database and the channel layer answer, else 503 with what does not."""
        missing = []
        for name, asking in (("database", hub.in_thread(ask_database)), ("channel layer", ask_layer())):
            try:
                await asyncio.wait_for(asking, PATIENCE)
            except Exception:
                missing.append(name)
        if missing:
            return 503, b"text/plain", f"no {', no '.join(missing)}\n".encode()
        return 200, b"text/plain", b"ready\n"

    async def metrics(self, scope: Scope) -> Answer:
        """For this machine only: a proxy's requests carry the header that says whom they are for."""
        near = scope["client"] and scope["client"][0] in ("127.0.0.1", "::1")
        if not near or any(name in (b"x-forwarded-for", b"x-real-ip") for name, _ in scope["headers"]):
            return 404, b"text/plain", b""
        return 200, prometheus_client.CONTENT_TYPE_LATEST.encode(), prometheus_client.generate_latest()


def ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


async def ask_layer() -> None:
    await hub.here().doorbell.layer.group_send(group("nobody:0"), {"type": "ring", "name": "nobody:0", "head": 0})

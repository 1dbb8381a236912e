"""The cache of anonymous pages: the same bytes for everybody, answered before Django is asked.

A view says which streams its page shows and at which ticks (``depend``). The cache listens to these streams as
any page does: a ring drops the page, and the next reader gets a fresh one. There is no lifetime; a lost ring is
healed by the heartbeat. Pages of people with a session, or with a language of their own choice, pass by.
"""

import asyncio
import gzip
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache, partial
from hashlib import blake2b
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import quote, unquote

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest, HttpResponse, parse_cookie
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import get_language_from_request

from live import hub, metrics
from live.asgi import Application, Message, Receive, Scope, Send
from live.cursors import Cursor, heads

try:
    import brotli
except ImportError:  # the extra "compression" is not installed
    brotli = None

BYTES = 64 * 1024 * 1024  # of all that is kept
HEADER = "X-Streams"
# The cookies that make a page one reader's own.
PERSONAL = {settings.SESSION_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME, CookieStorage.cookie_name}
# Headers that a page, or which of its forms is sent, may depend on; and those of them that no kept page answers.
READ = {b"host", b"x-forwarded-proto", b"accept-language", b"accept-encoding", b"if-none-match", b"cookie"}
UNUSUAL = {b"hx-request", b"authorization", b"forwarded", b"x-forwarded-host", b"x-forwarded-port"}
LANGUAGES = 500  # characters of Accept-Language: Django reads no more

Key = tuple[Any, ...] | None  # all that a page depends on; None: no kept page can be the answer
Headers = list[tuple[bytes, bytes]]


def depend(request: HttpRequest, response: HttpResponse, cursors: list[Cursor]) -> HttpResponse:
    """Let ``response`` be kept for all, if nobody is signed in: it shows the streams of ``cursors``. → ``response``"""
    patch_vary_headers(response, ["Accept-Language", "Cookie", "HX-Request"])
    if request.user.is_authenticated or PERSONAL & request.COOKIES.keys():
        patch_cache_control(response, private=True, no_cache=True)
    else:
        patch_cache_control(response, public=True, max_age=0, s_maxage=1)
        response[HEADER] = " ".join(f"{quote(cursor.name)}={cursor.tick}" for cursor in cursors)
    return response


class Pages:
    """ASGI middleware: answers what it has kept, and passes the rest on to ``application``."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.pages: OrderedDict[Key, Page] = OrderedDict()  # key -> Page, the least recently asked for first
        self.size = 0
        self.under_way: dict[
            Key, asyncio.Future[Page | None]
        ] = {}  # key -> future: a page is rendered once for all who wait for it
        self.hub: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.application(scope, receive, send)
        key, encoding, seen = asked(scope)
        page = self.pages.get(key)
        if page is not None:
            self.pages.move_to_end(key)
        elif key in self.under_way:
            page = await asyncio.shield(self.under_way[key])
            key = None if key in self.under_way else key
        if page is None:
            page = await self.fetch(key, scope, receive, send)
        if page is not None:
            metrics.PAGE_HITS.inc()
            for message in page.unchanged if page.etag in seen else page.answers.get(encoding, page.answers[b""]):
                await send(message)

    async def fetch(self, key: Key, scope: Scope, receive: Receive, send: Send) -> "Page | None":
        """Ask the application. → the Page to answer with, or None if the answer is none and was passed on.

        What may be kept is made for all, so no wait depends on whoever asked first: not on a body, which a GET of ours
        has no use for, and not on how fast that one reads.
        """
        asking = asyncio.get_running_loop().create_future()
        if key:
            self.under_way[key] = asking
        captured: Page | None = None
        body: list[bytes] = []

        def settle(page: "Page | None") -> None:
            if not asking.done():
                asking.set_result(page)
                self.under_way.pop(key, None)

        async def capture(message: Message) -> None:
            nonlocal captured
            if message["type"] == "http.response.start":
                headers, shows = split(message["headers"])
                if key and shows and message["status"] == 200:
                    captured = Page(shows, headers)
                    return
                message = message | {"headers": headers}
                settle(None)
            if captured is None:
                await send(message)
            else:
                body.append(message.get("body", b""))

        try:
            await self.application(scope, no_body() if key else receive, capture)
            if captured and await self.keep(key, captured, b"".join(body)):
                settle(captured)
            return captured
        finally:
            settle(None)

    async def keep(self, key: Key, page: "Page", body: bytes) -> bool:
        """Keep ``page`` for others, unless it changed since its cursors were taken. → whether it is kept"""
        if self.hub is None:
            self.hub = hub.here()
        page.drop = partial(self.drop, key, page)
        try:
            await self.hub.subscribe(page, page.shows)  # first listen, then look: nothing rings unheard between the two
            await hub.in_thread(page.fill, body)
            stands = await hub.in_thread(heads, page.shows) == page.shows
        except BaseException:
            self.drop(key, page)
            raise
        if page.dropped or not stands or not key or page.language != key[-1]:
            self.drop(key, page)
            return False
        self.pages[key] = page
        self.size += page.size
        metrics.PAGES.set(len(self.pages))
        while self.size > BYTES:
            self.drop(*next(iter(self.pages.items())))
        return True

    def drop(self, key: Key, page: "Page") -> None:
        if page.dropped:
            return
        page.dropped = True
        if self.pages.get(key) is page:
            del self.pages[key]
            self.size -= page.size
            metrics.PAGES.set(len(self.pages))
        self.hub.unsubscribe(page, page.shows)


class Page:
    """A kept answer: ``shows`` maps its streams to their ticks, ``answers`` each encoding to ASGI's two messages.

    A subscriber of its streams: when one has moved on, it is dropped.
    """

    def __init__(self, shows: dict[str, int], headers: Headers) -> None:
        self.shows, self.headers = shows, headers
        self.language = {name.lower(): value for name, value in headers}.get(b"content-language", b"").decode("latin-1")
        self.answers: dict[bytes, tuple[Message, ...]] = {}
        self.unchanged: tuple[Message, ...] = ()
        self.size, self.etag = 0, b""
        self.drop: Callable[[], None] = lambda: None  # until it is kept
        self.dropped = False

    def on_head(self, name: str, head: int) -> None:
        if head > self.shows[name]:
            self.drop()

    def fill(self, body: bytes) -> None:
        """Take the ``body`` (bytes), and compress it once for all: a matter of milliseconds, in a thread."""
        self.etag = b'W/"' + blake2b(body, digest_size=12).hexdigest().encode() + b'"'
        self.headers.append((b"etag", self.etag))
        self.unchanged = answer(304, self.headers, b"")
        encoded = {b"": body, b"gzip": gzip.compress(body, 6)}
        if brotli:
            encoded[b"br"] = brotli.compress(body, quality=6)
        for encoding, packed in encoded.items():
            more = [(b"content-length", b"%d" % len(packed))] + [(b"content-encoding", encoding)] * bool(encoding)
            self.answers[encoding] = answer(200, self.headers + more, packed)
            self.size += len(packed)


def no_body() -> Receive:
    """ASGI's ``receive`` of a request that is complete, and whose client stays."""
    messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Message:
        return next(messages, None) or await asyncio.get_running_loop().create_future()

    return receive


def answer(status: int, headers: Headers, body: bytes) -> tuple[Message, Message]:
    return (
        {"type": "http.response.start", "status": status, "headers": headers},
        {"type": "http.response.body", "body": body},
    )


def asked(scope: Scope) -> tuple[Key, bytes, bytes]:
    """What a request is for: ``(key, encoding, seen)``, the key being None if no kept page can be the answer.

    A key is all that a page depends on, as the request said it; but for the language, the last of it, which is worked
    out, and compared with what the page says of itself before that is kept. A header that comes twice is read
    differently by everybody who reads it: such a request passes by.
    """
    said: dict[bytes, bytes] = {}
    kept = scope["method"] == "GET" and not scope["query_string"]
    for name, value in scope["headers"]:
        if name in READ:
            kept = kept and name not in said
            said[name] = value
        elif name in UNUSUAL:
            kept = False
    if kept and b"cookie" in said:
        kept = not PERSONAL & parse_cookie(said[b"cookie"].decode("latin-1")).keys()
    languages, encodings = said.get(b"accept-language", b""), said.get(b"accept-encoding", b"")
    key = None
    if kept and len(languages) <= LANGUAGES and b"\0" not in languages:  # those Django refuses
        proto = said.get(b"x-forwarded-proto")
        key = said.get(b"host"), scope["path"], scope.get("scheme"), proto, spoken(languages)
    encoding = b"br" if brotli and b"br" in encodings else b"gzip" if b"gzip" in encodings else b""
    return key, encoding, said.get(b"if-none-match", b"")


@lru_cache(1000)
def spoken(languages: bytes) -> str:
    """The language (str) in which we answer somebody who accepts ``languages`` (bytes, the header)."""
    request = SimpleNamespace(COOKIES={}, META={"HTTP_ACCEPT_LANGUAGE": languages.decode("latin-1")})
    return get_language_from_request(cast(HttpRequest, request))


def split(headers: Headers) -> tuple[Headers, dict[str, int] | None]:
    """The ``headers`` as they go out, and what ``depend`` said in them: dict of stream name to tick, or None."""
    said: dict[str, int] | None = None
    out: Headers = []
    vary = [b"Accept-Encoding"]
    for name, value in headers:
        match name.lower():
            case b"x-streams":
                pairs = (one.rsplit("=", 1) for one in value.decode().split())
                said = {unquote(stream): int(tick) for stream, tick in pairs}
            case b"set-cookie":
                return [pair for pair in headers if pair[0].lower() != b"x-streams"], None
            case b"vary":
                vary.insert(0, value)
            case b"content-length":
                continue
            case _:
                out.append((name, value))
    if said is None:
        return headers, None
    return [*out, (b"vary", b", ".join(vary))], said

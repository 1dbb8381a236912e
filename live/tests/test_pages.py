"""The cache of anonymous pages, in front of an application that counts how often it is asked."""

import asyncio
import gzip
from io import BytesIO

import brotli
import pytest
from django.core.handlers.asgi import ASGIRequest
from django.utils.translation import get_language_from_request

from live import hub
from live.conf import Settings
from live.cursors import cursors
from live.http.pages import Pages, no_body, spoken
from live.testing import PATIENCE
from live.tests.conftest import until


class Application:
    """Answers with the lamp's writings, as a view would."""

    def __init__(self, lamp):
        self.lamp, self.asked, self.more, self.status = lamp, 0, [], 200
        self.slowly, self.has_read, self.wants_body = None, False, False

    async def __call__(self, scope, receive, send):
        self.asked += 1
        while self.wants_body and (await receive())["more_body"]:
            pass
        [cursor] = await hub.in_thread(cursors, self.lamp)
        body = " ".join(item.text for item in self.lamp.items).encode()
        self.has_read = True
        if self.slowly:
            await self.slowly.wait()
        headers = [(b"X-Streams", f"{cursor.name}={cursor.tick}".encode()), (b"Vary", b"Cookie"), *self.more]
        headers += self.language(scope)
        headers.append((b"Content-Length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def language(self, scope):
        language = get_language_from_request(ASGIRequest(scope, BytesIO()))
        return [(b"Content-Language", language.encode())]


async def get(pages, path="/", method="GET", query=b"", **headers):
    """→ ``(status, headers, body)``"""
    told = []

    async def send(message):
        told.append(message)

    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": pairs}
    await pages(scope, no_body(), send)
    assert [message["type"] for message in told] == ["http.response.start", "http.response.body"]
    said = {name.lower().decode(): value.decode() for name, value in told[0]["headers"]}
    assert "x-streams" not in said
    return told[0]["status"], said, told[1]["body"]


def test_a_page_is_made_once_and_again_when_it_changed(lamp, run):
    async def scene():
        application = Application(lamp)
        pages = Pages(application)
        for text in ("one", "two", "three"):
            await hub.in_thread(lamp.write, text)
            for _ in range(5):
                status, _, body = await get(pages)
                assert status == 200 and body.decode().endswith(text)
        assert application.asked == 3

    run(scene())


def test_a_lost_ring_is_healed_by_the_pulse(lamp, run, monkeypatch):
    monkeypatch.setattr(Settings, "LOOK_EVERY", 0.01)

    async def scene():
        pages = Pages(Application(lamp))
        await get(pages)
        with monkeypatch.context() as deaf:
            deaf.setattr(hub, "_hub", None)
            await hub.in_thread(lamp.write, "unheard")
        while (await get(pages))[2] != b"unheard":
            await asyncio.sleep(0)  # what is kept is answered without a pause

    run(scene())


def test_what_changes_while_a_page_is_made_is_in_the_next_answer(lamp, run):
    async def scene():
        application = Application(lamp)
        application.slowly = asyncio.Event()
        pages = Pages(application)
        slow = asyncio.ensure_future(get(pages))
        await until(lambda: application.has_read)
        await hub.in_thread(lamp.write, "news")
        late = asyncio.ensure_future(get(pages))
        await asyncio.sleep(0)  # it has asked
        application.slowly.set()
        assert (await slow)[2] == b""
        assert (await late)[2] == b"news"
        assert (await get(pages))[2] == b"news"

    run(scene())


def test_those_asking_at_once_wait_for_a_single_rendering(lamp, run):
    async def scene():
        application = Application(lamp)
        pages = Pages(application)
        answers = await asyncio.gather(*(get(pages) for _ in range(100)))
        assert application.asked == 1
        assert len({body for _, _, body in answers}) == 1

    run(scene())


async def stalled(*_):
    """ASGI's ``receive`` or ``send`` of a client that does neither send nor read."""
    await asyncio.Event().wait()


@pytest.mark.parametrize(("status", "more"), [(200, []), (404, []), (200, [(b"Set-Cookie", b"a=1")])])
def test_a_slow_first_reader_holds_a_page_from_nobody(lamp, run, status, more):
    """Neither by a body that does not come nor by not reading: what is kept, and what is not."""

    async def scene():
        application = Application(lamp)
        application.status, application.more, application.wants_body = status, more, True
        pages = Pages(application)
        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
        async with asyncio.timeout(PATIENCE):
            stuck = [asyncio.ensure_future(pages(scope, stalled, stalled)) for _ in range(3)]
            while not application.asked:
                await asyncio.sleep(0)
            for _ in range(2):
                assert (await get(pages))[0] == status
        for one in stuck:
            one.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)

    run(scene())


def test_who_has_the_page_is_told_so(lamp, run):
    async def scene():
        application = Application(lamp)
        pages = Pages(application)
        _, said, _ = await get(pages)
        for _ in range(3):
            status, again, body = await get(pages, if_none_match=f'"x", {said["etag"]}')
            assert (status, body, again["etag"]) == (304, b"", said["etag"])
        await hub.in_thread(lamp.write, "news")
        status, again, _ = await get(pages, if_none_match=said["etag"])
        assert status == 200 and again["etag"] != said["etag"]

    run(scene())


def test_it_is_compressed_as_asked(lamp, run):
    async def scene():
        await hub.in_thread(lamp.write, "word " * 100)
        pages = Pages(Application(lamp))
        for accept, encoding, unpack in (
            ("gzip, deflate, br", "br", brotli.decompress),
            ("gzip", "gzip", gzip.decompress),
            ("identity", None, bytes),
        ):
            _, said, body = await get(pages, accept_encoding=accept)
            assert said.get("content-encoding") == encoding
            assert unpack(body) == ("word " * 100).encode()
            assert int(said["content-length"]) == len(body)
            assert said["vary"] == "Cookie, Accept-Encoding"

    run(scene())


@pytest.mark.parametrize(
    "request_",
    [{"cookie": "a=1; sessionid=x"}, {"cookie": "django_language=en"}, {"cookie": "messages=x"}, {"hx_request": "true"}]
    + [{"query": b"page=2"}, {"method": "POST"}, {"method": "HEAD"}],
)
def test_personal_requests_pass_by_the_cache(lamp, run, request_):
    async def scene():
        application = Application(lamp)
        pages = Pages(application)
        for _ in range(2):
            await get(pages, **request_)
            await get(pages)
        assert application.asked == 3  # twice for the one, once for all others

    run(scene())


def test_an_answer_that_sets_a_cookie_or_is_an_error_is_not_kept(lamp, run):
    async def scene():
        application = Application(lamp)
        application.more = [(b"Set-Cookie", b"a=1")]
        pages = Pages(application)
        for _ in range(2):
            assert "set-cookie" in (await get(pages))[1]
        application.more, application.status = [], 404
        for _ in range(2):
            assert (await get(pages))[0] == 404
        assert application.asked == 4

    run(scene())


def test_languages_hosts_and_schemes_do_not_mix(lamp, run):
    async def scene():
        application = Application(lamp)
        pages = Pages(application)
        for n, headers in enumerate(
            [{}, {"accept_language": "zh-CN,zh"}, {"host": "other"}, {"x_forwarded_proto": "https"}], start=1
        ):
            await get(pages, **headers)
            await get(pages, **headers)
            assert application.asked == n
        await get(pages, accept_language="zh-TW;q=0, zh-hans, en")
        assert application.asked == n

    run(scene())


def test_a_page_in_another_language_than_was_worked_out_is_not_kept(lamp, run):
    """By whatever the application was moved: it is not for those who ask for this page in theirs."""

    async def scene():
        application = Application(lamp)
        pages = Pages(application)
        application.more = [(b"Content-Language", b"zh-hans")]
        application.language = lambda scope: []
        for n in (1, 2):
            await get(pages, accept_language="en")
            assert application.asked == n
        await get(pages, accept_language="zh-hans")
        await get(pages, accept_language="zh-hans")
        assert application.asked == 3

    run(scene())


def test_a_header_longer_than_django_reads_is_remembered_nowhere(lamp, run):
    async def scene():
        application = Application(lamp)
        pages = Pages(application)
        await get(pages)
        before = spoken.cache_info().currsize
        for n in range(3):
            await get(pages, accept_language=f"x{n}," * 300)
        assert application.asked == 4 and spoken.cache_info().currsize == before

    run(scene())


def test_a_stream_is_listened_to_for_as_long_as_a_page_shows_it(lamp, run):
    async def scene():
        pages = Pages(Application(lamp))
        for text in ("one", "two", "three"):
            await hub.in_thread(lamp.write, text)
            await get(pages)
            assert {name: len(some) for name, some in hub.here().subscribers.items()} == {"live.lamp:1": 1}
        await hub.in_thread(lamp.write, "four")
        await until(lambda: not pages.pages)
        assert not hub.here().subscribers

    run(scene())


def test_what_cannot_be_kept_leaves_nothing_behind(lamp, run, monkeypatch):
    def heads(names):
        raise OSError("the database is away")

    async def scene():
        application = Application(lamp)
        pages = Pages(application)
        with monkeypatch.context() as away, pytest.raises(OSError):
            away.setattr("live.http.pages.heads", heads)
            await get(pages)
        assert not pages.pages and not hub.here().subscribers and not pages.under_way
        await get(pages)
        await get(pages)
        assert application.asked == 2

    run(scene())


def test_pages_that_are_asked_for_stay_when_there_are_too_many(lamp, run, monkeypatch):
    monkeypatch.setattr("live.http.pages.BYTES", 50_000)

    async def scene():
        await hub.in_thread(lamp.write, "x" * 10_000)
        application = Application(lamp)
        pages = Pages(application)
        for n in range(20):
            await get(pages, f"/{n}")
            await get(pages, "/often")
        assert application.asked == 21

    run(scene())


def test_it_is_bounded_in_bytes(lamp, run, monkeypatch):
    monkeypatch.setattr("live.http.pages.BYTES", 50_000)

    async def scene():
        await hub.in_thread(lamp.write, "x" * 10_000)
        pages = Pages(Application(lamp))
        for n in range(20):
            await get(pages, f"/{n}")
        assert 0 < pages.size <= 50_000
        assert pages.size == sum(page.size for page in pages.pages.values())
        await hub.in_thread(lamp.write, "y")
        await until(lambda: not pages.pages)
        assert pages.size == 0 and not hub.here().subscribers

    run(scene())

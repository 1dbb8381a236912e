"""A page from the cache is the page that would be rendered, whatever the request for it looks like."""

import asyncio
from datetime import timedelta

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.utils import timezone

from inbox.models import Announcement
from live import hub
from live.http.pages import Pages
from live.tests.conftest import until
from people.models import Person
from posts.models import Post, Tag
from rooms.models import Room

ENGLISH = [("host", "testserver"), ("accept-language", "en")]
CHINESE = [("host", "testserver"), ("accept-language", "zh-hans")]
ODD_COOKIES = [
    "django_language=zh-hans",
    "django_language =zh-hans",
    "  django_language\t=  zh-hans",
    "a=1;django_language=zh-hans",
    'django_language="zh-hans"',
    'django_language="zh\\055hans"',
    "django_language=en; django_language =zh-hans",
    "a=1,django_language=zh-hans",
    "Django_Language=zh-hans",
    "sessionid =0123456789abcdefghijklmnopqrstuv",
    "sessionid",
    "messages =x",
    'messages\t="W1tdXQ"',
    "csrftoken=x",
    "dismissed=1.2",
    ";;; = ;=;",
    "=zh-hans",
]
ODD_LANGUAGES = [
    "",
    "*",
    "ZH-HANS",
    "zh_Hans",
    "zh-cn,en",
    "en;q=0.1,zh-hans;q=0.9",
    "zh-hans;q=0,en",
    "zh;q=x",
    "xx,zh",
]
ODD_LANGUAGES += [
    "zh-hans" + ",x" * 300,
    "x," * 300 + "zh-hans",
    "en, zh-hans",
    "zh-hans,en",
    " zh-hans ",
    "zh\x00",
    "é",
]
ODD = [
    *([*ENGLISH, ("cookie", cookie)] for cookie in ODD_COOKIES),
    *([("host", "testserver"), ("accept-language", languages)] for languages in ODD_LANGUAGES),
    [*ENGLISH, ("accept-language", "zh-hans")],
    [*CHINESE, ("accept-language", "en")],
    [*ENGLISH, ("accept-language", "zh-hans"), ("accept-language", "en")],
    [*ENGLISH, ("accept_language", "zh-hans")],
    [("accept_language", "zh-hans"), ("host", "testserver")],
    [*ENGLISH, ("cookie", "a=1"), ("cookie", "django_language=zh-hans")],
    [*ENGLISH, ("cookie", "django_language=zh-hans"), ("cookie", "a=1")],
    [*ENGLISH, ("host", "testserver:81")],
    [("host", "testserver:81"), ("accept-language", "en")],
    [("host", "TestServer"), ("accept-language", "zh-hans")],
    [*ENGLISH, ("host", "evil.example")],
    [*ENGLISH, ("x-forwarded-host", "evil.example")],
    [*ENGLISH, ("x-forwarded-host", "testserver:82")],
    [*ENGLISH, ("x-forwarded-proto", "https")],
    [*ENGLISH, ("x-forwarded-proto", "http"), ("x-forwarded-proto", "https")],
    [*ENGLISH, ("x-forwarded-proto", "https, http")],
    [*ENGLISH, ("x-forwarded-port", "443")],
    [*ENGLISH, ("hx-request", "true")],
    [*ENGLISH, ("hx-request", "false")],
    [*ENGLISH, ("authorization", "Basic eDp4")],
]


@pytest.fixture
def site(transactional_db):
    """Its kept pages (list of str)."""
    alice = Person.objects.create_user("alice", is_staff=True)
    post = Post(author=alice, title="A day at the sea", body="The tide is out.")
    post.publish()
    post.tags.add(Tag.objects.create(name="Sea", slug="sea"))
    post.comment(alice, "The first word")
    room = Room(name="The lobby", kind=Room.Kind.OPEN)
    room.revise()
    return ["/", f"/posts/{post.slug}/", "/tags/sea/", "/people/alice/", room.get_absolute_url()]


class Application(ASGIHandler):
    """Django as it is, counting how often it is asked."""

    asked = 0

    async def __call__(self, scope, receive, send):
        self.asked += 1
        await super().__call__(scope, receive, send)


async def get(application, path, headers):
    """→ the status, and the body (bytes) of the answer to one request"""
    pairs = [(name.encode(), value.encode()) for name, value in headers]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "scheme": "http", "headers": pairs}
    told, incoming = [], asyncio.Queue()
    incoming.put_nowait({"type": "http.request", "body": b"", "more_body": False})

    async def send(message):
        told.append(message)

    await application(scope, incoming.get, send)
    return told[0]["status"], b"".join(message.get("body", b"") for message in told[1:])


def test_the_kept_pages_are_kept_and_differ_by_language(site, run):
    async def scene():
        django = Application()
        pages = Pages(django)
        for n, path in enumerate(site, start=1):
            answers = {await get(pages, path, headers) for headers in (ENGLISH, CHINESE) for _ in range(3)}
            assert len(answers) == 2 and django.asked == 2 * n, path

    run(scene())


def test_an_odd_request_gets_what_django_answers_and_so_do_all_after_it(site, run, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    path = "/tags/sea/"

    async def scene():
        django = Application()
        plain = [(headers, await get(django, path, headers)) for headers in (ENGLISH, CHINESE)]
        assert plain[0][1] != plain[1][1]
        for headers in ODD:
            pages = Pages(django)
            odd = headers, await get(django, path, headers)
            for request, answer in [odd, *plain, odd]:
                assert await get(pages, path, request) == answer, headers

    run(scene())


def test_every_kept_page_goes_with_what_stands_on_all(site, run):
    def announce():
        now, by = timezone.now(), Person.objects.get(username="alice")
        Announcement(body="Tea is ready", by=by, starts=now, ends=now + timedelta(hours=1)).announce()

    async def scene():
        pages = Pages(Application())
        for path in site:
            assert b"Tea" not in (await get(pages, path, ENGLISH))[1]
        await hub.in_thread(announce)
        await until(lambda: not pages.pages)
        for path in site:
            assert b"Tea is ready" in (await get(pages, path, ENGLISH))[1]

    run(scene())

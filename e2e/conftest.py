"""What the tests with real servers and a real browser begin with."""

import os
import shutil
from contextlib import ExitStack

import pytest
from playwright.sync_api import expect, sync_playwright

from e2e.browsers import BROWSERS, Missing
from harness.servers import Postgres, Redis
from harness.site import HASTE, Site
from live.testing import PATIENCE
from posts.models import Post

expect.set_options(timeout=PATIENCE * 1000)  # milliseconds


def pytest_collection_modifyitems(items):
    """Playwright's event loop stays in its thread to the end: whoever needs none, or another, goes first."""
    items.sort(key=lambda item: "browser" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session", autouse=True)
def permission(django_db_blocker):
    """Outside of ``Site.orm()`` no test here has a database."""
    Site.unblock = django_db_blocker.unblock


@pytest.fixture(scope="session")
def one_redis(tmp_path_factory):
    with Redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_server(one_redis):
    """A running, empty Redis, the same for all tests: one may stop it."""
    if not one_redis.running:
        one_redis.start()
    one_redis.clear()
    return one_redis


@pytest.fixture(scope="session")
def one_postgres():
    with Postgres() as server:
        yield server


@pytest.fixture
def postgres_server(one_postgres):
    """A running PostgreSQL, the same for all tests: one may stop it."""
    if not one_postgres.running:
        one_postgres.start()
    return one_postgres


@pytest.fixture
def server():
    """The server that sites run on, unless a test is marked ``ON_BOTH``: uvicorn, as production's processes do.

    Both run the same application, so what that promises is shown once. What arrives on a line, and how a line
    ends, is each server's own: such tests run on daphne, the one of ``bin/serve``, as well.
    """
    return "uvicorn"


@pytest.fixture
def haste(request):
    """Variables of sites that let no test wait; those that measure have production's rhythm."""
    return {"SPREAD": 0} if request.node.get_closest_marker("stress") else HASTE


@pytest.fixture
def sites(tmp_path, server, haste):
    """``sites(**arguments)``: one more running ``Site``, with its arguments; stopped after the test."""
    with ExitStack() as stack:
        yield lambda **arguments: stack.enter_context(Site(tmp_path, **{"server": server} | haste | arguments))


@pytest.fixture
def site(sites):
    """A running site on its embedded database."""
    return sites()


@pytest.fixture
def wide_sites(tmp_path, server, haste, redis_server, postgres_server):
    """``wide_sites(**env)``: two running sites, as one: two processes on one PostgreSQL and one Redis."""
    with ExitStack() as stack:

        def launch(**env):
            database_url = stack.enter_context(postgres_server.migrated())
            both = [Site(tmp_path, database_url, redis_server.url, server, **haste | env) for _ in range(2)]
            for one in both:
                one.launch()
                stack.push(one)
            for one in both:
                one.wait()
            return both

        yield launch


@pytest.fixture
def wide(wide_sites):
    """Two running sites, as one."""
    return wide_sites()


@pytest.fixture
def cast(site):
    """alice, who writes posts; bob and carol, who talk."""
    return [site.account(name) for name in ("alice", "bob", "carol")]


@pytest.fixture
def post(site, cast):
    """A post of alice's with one comment by carol, its ``first``."""
    with site.orm():
        made = Post(author=cast[0], title="A day at the sea", body="The tide is out.")
        made.publish()
        made.first = made.comment(cast[2], "The first word")
    return made


@pytest.fixture(scope="session")
def browser():
    """Chromium: the system's, or else Playwright's own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    quiet = ("background-networking", "component-update", "sync", "quic")
    # The sync API runs an event loop in this thread, which makes Django refuse the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, names)), None),
            chromium_sandbox=os.geteuid() != 0,  # root cannot have one
            args=["--no-first-run", *(f"--disable-{name}" for name in quiet)],
        )
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def open_page(browser):
    """``open_page(site, person=None, javascript=True, language="en", **viewport)``: a new, empty page.

    It has cookies of its own, with ``person`` logged in, and takes paths: ``page.goto("/")``. ``site`` is a
    Site or a Relay, ``viewport`` its ``width`` and ``height`` in pixels. Errors on the console and in
    scripts, requests that failed and breaches of the content security policy gather in ``page.troubles``
    (list of str): the test fails for them, unless it clears them or sets ``page.expect_troubles``.
    """
    pages = []

    def open_page(site, person=None, javascript=True, language="en", **viewport):
        context = browser.new_context(
            base_url=site.url,
            java_script_enabled=javascript,
            locale=language,
            viewport={"width": 1280, "height": 800} | viewport,
        )
        context.set_default_timeout(PATIENCE * 1000)
        if person:
            context.add_cookies([site.session(person)])
        page = context.new_page()
        page.troubles, page.expect_troubles = [], False
        watch(context, page.troubles.append)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        if page.context in browser.contexts:
            page.context.cookies()  # an answer from the browser: what it said before has been heard
            page.context.close()
    troubles = [trouble for page in pages if not page.expect_troubles for trouble in page.troubles]
    assert not troubles, "\n".join(troubles)


@pytest.fixture(scope="session", params=BROWSERS)
def other_browser(request, tmp_path_factory):
    """Firefox, then WebKit: one ``Browser`` for all tests; skipped where it is not installed."""
    with ExitStack() as stack:
        try:
            yield stack.enter_context(BROWSERS[request.param](tmp_path_factory.mktemp(request.param)))
        except Missing as missing:
            pytest.skip(str(missing))


@pytest.fixture
def open_other(other_browser):
    """``open_other(site, person=None)``: a new ``Page`` in Firefox, then in WebKit, as ``Browser.open`` gives it.

    The test fails for errors in the scripts of its pages, where the browser tells them.
    """
    before = len(other_browser.troubles())
    yield other_browser.open
    other_browser.clear()
    troubles = other_browser.troubles()[before:]
    assert not troubles, "\n".join(troubles)


def watch(context, report):
    """Call ``report(trouble)`` (str) for what goes wrong in the pages of ``context``."""

    def on_console(message):
        if message.type == "error":  # among them answers from 400 on, and what the policy forbids
            report(f"console: {message.text} ({message.location['url']})")

    def on_failed(request):
        if request.failure != "net::ERR_ABORTED":  # the page went elsewhere
            report(f"request: {request.method} {request.url}: {request.failure}")

    context.on("console", on_console)
    context.on("weberror", lambda error: report(f"script: {error.error}"))
    context.on("requestfailed", on_failed)

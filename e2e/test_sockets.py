"""The socket of a real server, spoken to by hand."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest
from django.db import transaction
from websockets.exceptions import ConnectionClosed, InvalidStatus

from e2e.words import ON_BOTH, hear_on
from live.models import Head
from live.testing import PATIENCE, Page, until
from posts.models import Comment, Post


@pytest.fixture
def page(site, post):
    with Page(f"{site.url}/posts/{post.slug}/") as page:
        yield page


ELSEWHERE = ["null", "http://evil.example", "http://sub.127.0.0.1:{port}", "http://127.0.0.1:{port}.evil.example"]
ELSEWHERE += ["http://127.0.0.1:1", "https://127.0.0.1:{port}", "http://127.0.0.1", "http://127.0.0.1:{port}/"]
ELSEWHERE += ["http://[", "{port}", "http://user@127.0.0.1:{port}", "HTTP://127.0.0.1:{port}"]


@ON_BOTH
def test_a_handshake_from_elsewhere_is_refused(site, page):
    for origin in ELSEWHERE:
        with pytest.raises(InvalidStatus) as refused:
            page.connect(origin=origin.format(port=site.port))
        assert refused.value.response.status_code in (400, 403), origin  # 400: no server reads it as an origin
    page.connect().hear("reading")


@ON_BOTH
def test_a_handshake_without_an_origin_or_at_another_address_is_refused(site):
    for path, origin in (("/ws/", {}), ("/ws/x/", {"Origin": site.url}), ("/", {"Origin": site.url})):
        line = HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        line.request("GET", path, headers=upgrade | {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} | origin)
        assert line.getresponse().status == 403


NONSENSE = ["", "{", "[]", "null", "{}}", "[" * 16_000, '{"a":' * 3000, "x" * 17_000, b"\x00\xff", b"{}"]
NONSENSE += [{"posts.post:1": "0"}, {"": ""}, {"x:1:y": "0"}, {"whisper": 1}, '{"\\ud800": "1"}', {"a" * 5000: "1"}]


@ON_BOTH
def test_what_a_page_never_says_is_answered_politely_and_harms_nobody(site, post):
    with Page(f"{site.url}/posts/{post.slug}/") as bystander:
        bystander.connect().hear("reading")
        with ExitStack() as stack:
            pages = [stack.enter_context(Page(f"{site.url}/posts/{post.slug}/")).connect() for _ in NONSENSE]
            for page, nonsense in zip(pages, NONSENSE, strict=True):
                page.hear("reading")
                page.send(nonsense)
                assert page.hear_close() == 4008, nonsense
                assert "lost touch" in page.text
        with site.orm():
            Post.objects.get(pk=post.pk).comment(post.author, "All is well")
        bystander.hear("All is well")
    assert "Traceback" not in site.log


@ON_BOTH
def test_messages_too_large_for_any_page_close_the_socket(site, page):
    page.connect().hear("reading")
    page.send("x" * 100_000)
    assert page.hear_close() in (1006, 1009, 4008)  # daphne drops the line without a word
    assert "Traceback" not in site.log


@ON_BOTH
def test_a_flood_is_cut_off(site, page):
    page.connect().hear("reading")

    def flood():
        try:
            for _ in range(2000):
                page.send(page.form)
        except ConnectionClosed:
            pass

    flooding = threading.Thread(target=flood)
    flooding.start()
    assert page.hear_close() == 4008
    flooding.join()
    assert "Traceback" not in site.log


def test_a_cookie_that_holds_no_key_is_no_session_on_postgresql(sites, postgres_server):
    """PostgreSQL refuses a NUL. The reader is answered as one who is signed out, and counted down when they leave."""
    with postgres_server.migrated() as database_url:
        site = sites(database_url=database_url)
        for key in ('"\\000aaaaaaaa"', '"0123456789abcdef\\000"', "\xe9" * 16, "A" * 32, "0" * 300):
            with Page(f"{site.url}/", f"sessionid={key}") as page:
                page.connect().send("nonsense")
                assert page.hear_close() == 4008, key  # and not: come again, for something is wrong here
        until(lambda: site.metric("live_connections") == 0)
        assert "Traceback" not in site.log


def test_a_stream_name_signed_for_bob_lets_nobody_else_listen(site, post, cast):
    _, bob, carol = cast
    with Page(f"{site.url}/posts/{post.slug}/", site.cookie(bob)) as bobs, Page(f"{site.url}/") as stranger:
        stranger.form = bobs.form
        stranger.connect()
        assert stranger.hear_close() == 4401
    with Page(f"{site.url}/posts/{post.slug}/", site.cookie(bob)) as bobs:
        with Page(f"{site.url}/", site.cookie(carol)) as carols:
            carols.form = bobs.form
            carols.connect()
            assert carols.hear_close() == 4401
        assert bobs.connect().hear("reading")


def test_a_draft_is_not_heard_by_those_who_may_not_read_it(site, post, cast):
    """The name is signed by us, as an editor's page would hold it; the right is asked all the same."""
    with Page(f"{site.url}/posts/{post.slug}/") as page:
        with site.orm():
            Post.objects.get(pk=post.pk).unpublish()
        page.connect()
        page.hear("withdrawn")
        with site.orm():
            hidden = Post.objects.get(pk=post.pk)
            hidden.title = "The secret marker"
            hidden.revise()
        assert "marker" not in hear_on(page, site, post.author)
        with site.orm():
            hidden.publish()
        page.hear("marker")


def test_a_stranger_does_not_hear_a_draft_though_an_editor_listens_to_it(site, post):
    editor = site.account("eve", is_staff=True, is_superuser=True)
    with site.orm():
        Post.objects.get(pk=post.pk).unpublish()
    address = f"{site.url}/posts/{post.slug}/"
    with Page(address, site.cookie(editor)) as eves, Page(f"{site.url}/") as stranger:
        eves.connect().hear("1 person is reading")
        stranger.form = {name: tick for name, tick in eves.form.items() if not name.startswith("people.person:")}
        stranger.connect().hear("withdrawn")
        with site.orm():
            Post.objects.get(pk=post.pk).comment(editor, "The secret marker")
        eves.hear("marker")
        assert "marker" not in hear_on(stranger, site, editor)


def test_the_language_is_that_of_the_page(site, post, cast):
    with Page(f"{site.url}/posts/{post.slug}/", language="zh-hans") as chinese:
        assert chinese.form["language"] == "zh-hans"
        chinese.connect().hear("人")


def test_forty_writers_never_find_the_database_locked(site, post, cast):
    """In one process of ours, and one of the server's; ``bin/test --stress`` has them write five times as much."""

    def write(writer):
        with site.orm():
            mine = Post.objects.get(pk=post.pk)
            for n in range(5):
                mine.comment(cast[1], f"{writer}: {n}")

    with Page(f"{site.url}/posts/{post.slug}/") as page:
        page.connect().hear("reading")
        with ThreadPoolExecutor(40) as writers:
            list(writers.map(write, range(40)))
        with site.orm():
            assert Comment.objects.count() == Post.objects.get(pk=post.pk).comment_count == 201
            head = Head.objects.get(kind="posts.post", key=post.pk).head
            assert sorted(Comment.objects.values_list("born", flat=True)) == list(range(head - 200, head + 1))
        page.hear(f'value="{head}"')
    assert "locked" not in site.log and "Traceback" not in site.log


def test_ticks_become_visible_in_their_order_on_postgresql(wide):
    """A later tick must wait for an earlier one that is not committed yet; else a page would skip it for ever."""
    site = wide[0]
    alice = site.account("alice")
    with site.orm():
        post = Post(author=alice, title="A day at the sea")
        post.publish()
    earlier, go_on, order = threading.Event(), threading.Event(), []

    def first():
        with site.orm(), transaction.atomic():
            Post.objects.get(pk=post.pk).comment(alice, "earlier")
            earlier.set()
            go_on.wait(PATIENCE)
            order.append("earlier")

    def second():
        earlier.wait(PATIENCE)
        with site.orm():
            Post.objects.get(pk=post.pk).comment(alice, "later")
            order.append("later")

    with Page(f"{wide[1].url}/posts/{post.slug}/") as page:
        page.connect().hear("reading")
        threads = [threading.Thread(target=one) for one in (first, second)]
        for thread in threads:
            thread.start()
        received = hear_on(page, wide[1], alice)  # two heartbeats: nothing to see yet, not even what came later
        assert "earlier" not in received and "later" not in received
        go_on.set()
        for thread in threads:
            thread.join()
        assert order == ["earlier", "later"]
        received = page.hear("later")
        assert "earlier" in received and received.index("earlier") < received.index("later")

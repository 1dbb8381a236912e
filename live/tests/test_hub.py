"""The hub and its listeners, in one event loop, without a server between."""

import asyncio
import json
import threading
from types import SimpleNamespace

import pytest
from channels.layers import InMemoryChannelLayer
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse, parse_cookie

from live import consumers, deltas, doorbell, hub, limits, messages, metrics, routing, streams
from live.conf import Settings
from live.cursors import Cursor
from live.http.pages import depend, split
from live.models import Head
from live.presence import tracker
from live.testing import PATIENCE
from live.tests.conftest import Page, Table, until
from live.viewers import Viewer, session_key


def test_what_is_written_reaches_every_page_once(lamp, run):
    async def scene():
        pages = [await Page(lamp).open() for _ in range(20)]
        await hub.in_thread(lamp.write, "on")
        for page in pages:
            await page.hear(">ON<")
            assert page.told.count(">ON<") == 1

    run(scene())


def test_a_delta_is_rendered_once_for_all_who_listen(lamp, run, monkeypatch):
    rendered = []

    def delta(stream, since, ticks):
        rendered.append(since)
        return streams_delta(stream, since, ticks)

    streams_delta = deltas.delta

    async def scene():
        pages = [await Page(lamp).open() for _ in range(50)]
        monkeypatch.setattr(deltas, "delta", delta)
        await hub.in_thread(lamp.write, "on")
        await asyncio.gather(*(page.hear(">ON<") for page in pages))
        assert rendered == [0]

    run(scene())


def test_a_page_that_says_anew_what_it_has_seen_goes_on_hearing_other_processes(lamp, run, monkeypatch):
    monkeypatch.setattr(Settings, "LOOK_EVERY", 3600)  # no heartbeat heals anything here

    async def scene():
        page = await Page(lamp).open()
        await until(lambda: hub.here().heartbeat.looked_at)  # the first has been
        await hub.in_thread(lamp.write, "on")
        await page.hear(">ON<")
        [cursor] = await page.cursors()
        for _ in range(5):  # it leaves and joins again, alone as it is
            page.say({cursor.signed: "0"})
            page.told = ""
            await page.hear(">ON<")
        lamp.items[-1].text, lamp.items[-1].changed = "elsewhere", 2
        event = {"type": "ring", "name": cursor.name, "head": 2}
        await hub.in_thread(lambda: Head.objects.update(head=2))
        await hub.here().doorbell.layer.group_send(doorbell.group(cursor.name), event)
        await page.hear(">ELSEWHERE<")

    run(scene())


def test_nothing_is_rendered_when_nobody_listens(lamp, run, monkeypatch):
    async def scene():
        page = await Page(lamp).open()
        await page.close()
        monkeypatch.setattr(hub, "compose", lambda *_: pytest.fail("nobody would hear it"))
        await hub.in_thread(lamp.write, "on")
        assert not hub.here().audiences

    run(scene())


def test_a_newcomer_with_an_old_cursor_catches_up_and_goes_on(lamp, run):
    async def scene():
        await Page(lamp).open()
        for text in ("one", "two"):
            await hub.in_thread(lamp.write, text)
        late = await Page(lamp, since=0).open()
        await late.hear(">TWO<")
        assert late.told.count(">ONE<") == 1
        await hub.in_thread(lamp.write, "three")
        await late.hear(">THREE<")

    run(scene())


def test_joining_while_much_is_written_leaves_no_gap(lamp, run):
    async def scene():
        async def writing():
            for n in range(60):
                await hub.in_thread(lamp.write, f"<{n}>")

        writer = asyncio.ensure_future(writing())
        pages = []
        while not writer.done():
            pages.append(await Page(lamp).open())
        for page in pages:
            [began] = page.began
            await page.hear('value="60"' if began < 60 else "")
            for n in range(began, 60):
                assert f"&lt;{n}&gt;" in page.told or 'id="again"' in page.told

    run(scene())


def test_rings_that_come_while_a_delta_is_rendered_merge(lamp, run, monkeypatch):
    written, composed = threading.Event(), []

    def compose(*arguments):
        composed.append(arguments)
        result = deltas.compose(*arguments)
        written.wait(PATIENCE)
        return result

    async def scene():
        page = await Page(lamp).open()
        monkeypatch.setattr(hub, "compose", compose)
        for n in range(5):
            await hub.in_thread(lamp.write, f"burst {n}")
        written.set()
        await page.hear('value="5"')
        assert all(f">BURST {n}<" in page.told for n in range(5))
        assert len(composed) <= 2

    run(scene())


def test_a_lost_ring_is_healed_by_the_pulse(lamp, run, monkeypatch):
    monkeypatch.setattr(Settings, "LOOK_EVERY", 0.01)

    async def scene():
        page = await Page(lamp).open()
        with monkeypatch.context() as deaf:
            deaf.setattr(hub, "_hub", None)
            await hub.in_thread(lamp.write, "unheard")
        await page.hear(">UNHEARD<")

    run(scene())


def test_a_listener_that_does_not_read_is_parked_and_catches_up(lamp, run, monkeypatch):
    monkeypatch.setattr(consumers, "STALL", PATIENCE)  # it is not cut off, however slow this machine

    async def scene():
        slow, quick = await Page(lamp).open(), await Page(lamp).open()
        await slow.hear("2 here")
        slow.block = asyncio.get_running_loop().create_future()
        for n in range(4):
            await hub.in_thread(lamp.write, f"line {n}")
            await quick.hear(f">LINE {n}<")
        assert "LINE" not in slow.told and not slow.consumer.audiences
        slow.block.set_result(None)
        slow.block = None
        await slow.hear(">LINE 3<")
        for n in range(4):
            assert slow.told.count(f">LINE {n}<") == 1
        await hub.in_thread(lamp.write, "and on")
        await slow.hear(">AND ON<")

    run(scene())


def test_a_listener_that_never_reads_is_cut_off(lamp, run, monkeypatch):
    monkeypatch.setattr(consumers, "STALL", 0.05)

    async def scene():
        dead = await Page(lamp).open()
        dead.block = asyncio.get_running_loop().create_future()
        await hub.in_thread(lamp.write, "on")
        await dead.ended()
        assert dead.consumer.disconnected and not hub.here().audiences

    run(scene())


class SlowLine:
    """Of what waits to be sent something has left whenever we look, until ``stuck`` is left."""

    def __init__(self, page, stuck):
        self.page, self.left, self.stuck = page, 100, stuck

    def write(self, frame):
        return False

    def unsent(self):
        self.left = max(self.left - 1, self.stuck)
        if self.left == 0 and not self.page.block.done():
            self.page.block.set_result(None)
        return self.left


def test_a_listener_that_reads_slowly_is_told_all_and_one_that_stops_is_cut_off(lamp, run, monkeypatch):
    monkeypatch.setattr(consumers, "STALL", 0.1)
    monkeypatch.setattr(consumers, "LOOK", 0.005)

    async def scene():
        slow, stuck = await Page(lamp).open(), await Page(lamp).open()
        for page, left in ((slow, 0), (stuck, 50)):
            page.block = asyncio.get_running_loop().create_future()
            page.consumer.line = SlowLine(page, left)
        await hub.in_thread(lamp.write, "on")
        await slow.hear(">ON<")  # after a hundred looks, which take longer than one may do without reading
        await stuck.ended()
        assert stuck.consumer.disconnected and not slow.consumer.disconnected
        await hub.in_thread(lamp.write, "off")
        await slow.hear(">OFF<")

    run(scene())


def test_a_socket_that_takes_no_text_is_closed_so_that_the_page_comes_back(lamp, run):
    class Broken(Page):
        async def send(self, message):
            if "LAMP" in message.get("text", ""):
                raise ValueError("too large for this server")
            await super().send(message)

    async def scene():
        page, other = await Broken(lamp).open(), await Page(lamp).open()
        await hub.in_thread(lamp.write, "lamp")
        await page.ended()
        assert page.closed == messages.TRY_AGAIN
        await other.hear(">LAMP<")

    run(scene())


def test_one_whose_right_ends_hears_farewell_and_no_more(lamp, run):
    async def scene():
        page = await Page(lamp, Table(), user_id="1").open()
        await page.hear("here: 1, 0")
        lamp.private = True
        await hub.in_thread(lamp.write, "secret")
        await page.hear("farewell")
        await hub.in_thread(lamp.write, "more secrets")
        await Page(Table(), user_id="2").open()
        await page.hear("came: 2")  # it hears on of what it may
        assert "SECRET" not in page.told

    run(scene())


def test_one_without_the_right_does_not_get_in(lamp, run):
    async def scene():
        lamp.private = True
        page = Page(lamp, Table(), user_id="1")
        opening = asyncio.ensure_future(page.open())
        await page.hear("farewell")
        await page.hear("here: 1")
        assert set(hub.here().audiences) == {("live.table:1", "en")} and not opening.done()

    run(scene())


def test_the_readers_are_told_how_many_they_are(lamp, run):
    async def scene():
        one, two = await Page(lamp).open(), await Page(lamp).open()
        await one.hear("2 here")
        await two.hear("2 here")
        await two.close()
        await one.hear("1 here")

    run(scene())


def test_typing_is_told_to_the_others_and_ends_by_itself(lamp, run, monkeypatch):
    monkeypatch.setattr(tracker, "TYPING", 0.2)

    async def scene():
        one, two = await Page(lamp).open(), await Page(lamp).open()
        one.consumer.user_id = "1"
        [cursor] = await one.cursors()
        for _ in range(2):  # the second is too soon
            one.say({"whisper": cursor.signed})
        await two.hear("typing: 1.")
        await two.hear("typing: .")
        assert "typing: 1." not in one.told and two.told.count("typing: 1.") == 1

    run(scene())


@pytest.mark.parametrize(
    "said",
    [
        "",
        "{",
        "[]",
        "null",
        "1",
        '"x"',
        "[" * 10_000,
        "x" * 20_000,
        json.dumps({"live.lamp:1": "0"}),
        json.dumps({"x": 1}),
    ]
    + [json.dumps({f"n{n}": "0" for n in range(50)}), json.dumps({"whisper": [1]}), json.dumps({"": ""}), None]
    + [json.dumps(said) for said in ({"\ud800": "1"}, {"whisper": "live.lamp:1:\udfff"}, {"language": "\udc80"})]
    + [json.dumps({"live.lamp:1:\ud83d": "\ud83d"}), json.dumps({"a": [{"b": "\ud800"}]}), '{"live.lamp:1:\x00": "0"}'],
)
def test_what_a_page_never_says_closes_its_socket_politely(lamp, run, said):
    async def scene():
        page = await Page(lamp).open()
        page.said.put_nowait({"type": "websocket.receive", "text": said})
        await page.ended()
        assert page.closed == 4008
        assert "lost touch" in page.told

    run(scene())


def test_a_cursor_that_is_no_number_closes_the_socket(lamp, run):
    async def scene():
        for tick in ("-1", "1.5", "", "x", "9" * 30, 1, None, [1]):
            page = await Page(lamp).open()
            page.say({(await page.cursors())[0].signed: tick})
            await page.ended()
            assert page.closed == 4008

    run(scene())


def test_a_flood_of_messages_closes_the_socket(lamp, run):
    async def scene():
        page = await Page(lamp).open()
        for _ in range(1000):
            page.say({})
        await page.ended()
        assert page.closed == 4008

    run(scene())


def test_made_up_cursors_close_the_socket_though_each_message_is_allowed(lamp, run, monkeypatch):
    """From one socket, in its own time: few of them are answered, and one text is rendered for all of them."""
    monkeypatch.setattr(limits, "BURST", 10_000)
    rendered = []

    async def scene():
        page = await Page(lamp).open()
        for n in range(40):
            await hub.in_thread(lamp.write, f"change {n}")
        await page.hear('value="40"')
        [cursor] = await page.cursors()
        long = "the totals " * 3000
        monkeypatch.setattr(streams.kinds["live.lamp"], "totals", lambda self: rendered.append(1) or long)
        for n in range(150):
            page.say({cursor.signed: str(n % 20 if n % 2 else 1000 + n)})
        await page.ended()
        assert page.closed == messages.NOT_WELCOME and "lost touch" in page.told
        assert len(page.told) < 30_000 * 15 and len(rendered) == 1

    run(scene())


def test_many_small_steps_close_the_socket_as_well(lamp, run, monkeypatch):
    monkeypatch.setattr(limits, "BURST", 10_000)

    async def scene():
        page = await Page(lamp).open()
        for text in ("one", "two", "three"):
            await hub.in_thread(lamp.write, text)
        [cursor] = await page.cursors()
        for n in range(150):
            page.say({cursor.signed: str(n % 3)})
        await page.ended()
        assert page.closed == messages.NOT_WELCOME

    run(scene())


def test_a_page_of_twenty_streams_comes_back_as_often_as_servers_restart(table, run):
    tables = [Table(n) for n in range(1, 21)]

    async def scene():
        for _ in range(5):
            page = await Page(*tables).open()
            for _ in range(20):  # after each answer to a form it says where it is, which costs nothing
                page.say({cursor.signed: str(cursor.tick) for cursor in await page.cursors()})
            page.say({"language": "zh-hans"})
            await until(lambda page=page: page.consumer.language == "zh-hans")
            assert page.closed is None and len(page.consumer.audiences) == 20
            await page.close()

    run(scene())


def test_a_page_that_missed_much_of_much_is_told_and_goes_on(lamp, run, monkeypatch):
    monkeypatch.setattr(streams.kinds["live.lamp"], "totals", lambda self: "the totals " * 100_000)

    async def scene():
        for n in range(40):
            await hub.in_thread(lamp.write, f"change {n}")
        page = await Page(lamp, since=0).open()
        [cursor] = await page.cursors()
        await page.hear('value="40"')
        page.told = ""
        page.say({cursor.signed: "1"})  # an answer that was long on its way has put it back
        await page.hear('value="40"')
        for n in range(40, 60):
            page.told = page.told[-1000:]
            await hub.in_thread(lamp.write, f"change {n}")
            await page.hear(f"CHANGE {n}")
            page.say({cursor.signed: str(n + 1)})
        assert page.closed is None

    run(scene())


def test_a_page_shows_only_so_many_streams_however_it_names_them(table, run):
    async def scene():
        page = await Page(table).open()
        for n in range(2, 22):
            page.say({Cursor(f"live.table:{n}", 0).signed: "0"})
        await page.ended()
        assert page.closed == messages.NOT_WELCOME

    run(scene())


def test_what_was_composed_for_those_who_missed_the_same_is_soon_forgotten(lamp, run, monkeypatch):
    monkeypatch.setattr(hub, "SHARED", 0.01)
    monkeypatch.setattr(hub, "SHARED_AT_ONCE", 3)

    async def scene():
        for n in range(5):
            await hub.in_thread(lamp.write, f"change {n}")
        ours = hub.here()
        pages = [await Page(lamp, since=n % 5).open() for n in range(10)]
        assert len(ours.catching_up) <= 3
        lamp.items[-1].text = "x" * 30_000
        await hub.in_thread(lamp.write, "long")
        await asyncio.gather(*(page.hear(">LONG<") for page in pages))
        monkeypatch.setattr(hub, "SHARED", 1000)
        await Page(lamp, since=2).open()
        assert not [key for key, future in ours.catching_up.items() if len(future.result().text) > 30_000]

    run(scene())


# Who is counted as whom


def test_sessions_of_nobody_are_not_counted_as_a_single_person(lamp, run, settings):
    async def scene():
        pages = [await Page(lamp, session=f"{n:032}", address=f"10.0.0.{n}").open() for n in range(1, 30)]
        assert all(page.closed is None for page in pages)
        assert not [name for name in limits.sockets if name.startswith("person")]
        for page in pages:
            await page.close()
        assert not limits.sockets

    run(scene())


def test_sockets_without_an_address_are_not_counted_as_a_single_address(lamp, run, monkeypatch):
    monkeypatch.setattr(limits, "OF_AN_ADDRESS", 2)

    async def scene():
        pages = [await Page(lamp).open() for _ in range(5)]
        assert all(page.closed is None for page in pages)
        near = [await Page(lamp, address="10.0.0.1").open() for _ in range(2)]
        late = Page(lamp, address="10.0.0.1")
        late.connect()
        late.say({"language": "zh-hans"})
        await late.ended()
        assert late.closed == messages.TOO_MANY and "页面" in late.told
        await near[0].close()
        assert (await Page(lamp, address="10.0.0.1").open()).closed is None

    run(scene())


def test_a_socket_whose_person_cannot_be_asked_for_is_counted_down(lamp, run, monkeypatch):
    def person(self):
        raise ValueError("A string literal cannot contain NUL (0x00) characters.")

    monkeypatch.setattr(Viewer, "person", person)
    before = metrics.CONNECTIONS._value.get()

    async def scene():
        page = Page(lamp, session="x" * 32, address="10.0.0.1")
        page.connect()
        await page.ended()
        assert page.closed == messages.TRY_AGAIN
        assert not limits.sockets and metrics.CONNECTIONS._value.get() == before

    run(scene())


@pytest.mark.parametrize(
    "cookie", ['"\\000aaaaaaaa"', "A" * 32, "a" * 41, "short", "", None, "é" * 32, "'; --aaaaaaaa"]
)
def test_a_cookie_that_holds_no_key_is_no_session(cookie):
    assert session_key(parse_cookie(f"sessionid={cookie}").get("sessionid") if cookie is not None else None) is None
    assert session_key("0123456789abcdefghijklmnopqrstuv")


def test_a_right_that_ends_while_it_is_asked_for_is_asked_for_again(lamp, run, monkeypatch):
    stream = streams.kinds["live.lamp"]

    def allows(self, person):
        was = not self.thing.private
        if was and self.thing.items:
            self.thing.private = True
            self.thing.write("private from now on")  # committed after the question, before the answer is rendered
        return was

    async def scene():
        page = await Page(lamp).open()
        monkeypatch.setattr(stream, "allows", allows)
        await hub.in_thread(lamp.write, "on")
        await page.hear("farewell")

    run(scene())


def test_every_page_gets_a_sign_of_life_once_however_many_streams_it_shows(lamp, run, settings):
    async def scene():
        settings.LIVE = {"LIMITED": False}
        pages = [await Page(lamp, Table(1), Table(2)).open() for _ in range(250)]
        here = hub.here()
        for page in pages:
            await page.hear('class="live"')  # having joined
            page.told = ""
        await here.heartbeat.send_heartbeats()
        assert [page.told.count('id="heartbeat"') for page in pages] == [1] * 250
        await pages[0].close()
        assert len(here.listeners) == 249

    run(scene())


def test_the_sign_of_life_is_in_the_language_of_the_page(table, run):
    async def scene():
        page = await Page(table).open()
        [cursor] = await page.cursors()
        page.say({"language": "zh-hans", cursor.signed: str(cursor.tick)})
        await until(lambda: page.consumer.language == "zh-hans")
        page.told = ""
        await hub.here().heartbeat.send_heartbeats()
        assert "正在重新连接" in page.told

    run(scene())


def test_a_page_that_is_sent_away_for_good_does_not_ask_on(lamp, run):
    async def scene():
        page = await Page(lamp).open()
        page.say("nonsense")
        await page.ended()
        assert page.closed == messages.NOT_WELCOME
        assert 'class="ended"' in page.told

    run(scene())


@pytest.mark.parametrize(
    "chosen, origin, host, welcome",
    [
        ([], "https://blog.example", "blog.example", True),
        ([], "http://blog.example:8000", "blog.example:8000", True),
        ([], "https://evil.example", "blog.example", False),
        ([], "https://evil.example", "evil.example", False),  # a name of theirs that leads to us
        ([], "http://blog.example:9000", "blog.example:8000", False),
        ([], "", "", False),
        ([], "null", "blog.example", False),
        (["https://blog.example"], "https://blog.example", "10.0.0.1:8000", True),
        (["https://blog.example"], "http://blog.example", "blog.example", False),
    ],
)
def test_only_our_own_pages_open_sockets(settings, chosen, origin, host, welcome):
    settings.LIVE, settings.ALLOWED_HOSTS = {"ORIGINS": chosen}, ["blog.example"]
    headers = {b"origin": origin.encode(), b"host": host.encode()}
    assert routing.is_our_own(headers) is welcome


@pytest.mark.parametrize("key", ["7", "x" * 200, "bob@blog.example", "北京 1", "a:b", ""])
def test_a_stream_may_have_any_key(key):
    """What is not for a channel layer's groups, or an HTTP header, is put into words that are."""
    name = f"lamp:{key}"
    assert InMemoryChannelLayer().require_valid_group_name(doorbell.group(name))
    assert doorbell.group(name) != doorbell.group(f"lamp:{key}x")
    response = depend(SimpleNamespace(user=AnonymousUser(), COOKIES={}), HttpResponse(), [Cursor(name, 7)])
    assert split([(b"X-Streams", response["X-Streams"].encode("latin-1"))])[1] == {name: 7}

"""The long runs in a room: a burst of lines, and a process that dies with its people."""

import asyncio
import json
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from websockets.asyncio.client import connect

from e2e.test_rooms_live import enter, fill, line_of, make, present, say
from e2e.words import SECOND
from harness.hand import Hand
from live.testing import Page
from rooms.models import Message

pytestmark = pytest.mark.stress

PAGES, LINES = 200, 500


async def listen(site, cookie, form, received, everything):
    """A page of the person with ``cookie``: fills ``received`` with the ids of the lines, in the order they come."""
    address = site.url.replace("http", "ws", 1) + "/ws/"
    options = {"origin": site.url, "compression": None, "max_size": None, "max_queue": None}
    async with connect(address, additional_headers={"Cookie": cookie}, **options) as line:
        await line.send(json.dumps(form))
        while len(received["ids"]) < everything:
            frame = await line.recv()
            received["frames"] += 1
            received["bytes"] += len(frame)
            told = map(int, re.findall(r'id="message-(\d+)" data-key', frame))
            received["ids"] |= dict.fromkeys(told)  # what was said while a delta was made is told twice, and shown once
        received["at"] = time.monotonic()


def test_five_hundred_lines_reach_two_hundred_people_in_their_order(sites, open_page, capsys):
    site = sites(RATES="off")
    room = make(site)
    people = [site.account(f"person{n}") for n in range(PAGES)]
    cookies = [(lambda one: f"{one['name']}={one['value']}")(site.session(person)) for person in people]
    form = Page(f"{site.url}/rooms/the-lobby/").form
    hands = [Hand(site, person, room) for person in people[:5]]
    pages = [{"ids": {}, "frames": 0, "bytes": 0, "at": 0} for _ in people]

    async def crowd(connected):
        listening = [
            asyncio.create_task(listen(site, cookie, form, received, LINES))
            for cookie, received in zip(cookies, pages, strict=True)
        ]
        while not all(received["frames"] for received in pages):
            await asyncio.sleep(0.1)
        connected.set()
        await asyncio.wait_for(asyncio.gather(*listening), 120)

    def talk(hand):
        for n in range(LINES // len(hands)):
            hand.write(f"line {n}")

    connected = threading.Event()
    with ThreadPoolExecutor(1 + len(hands)) as threads:
        listening = threads.submit(asyncio.run, crowd(connected))
        listening.add_done_callback(lambda _: connected.set())
        assert connected.wait(60)
        browser = enter(open_page(site, site.account("alice")), f"/rooms/{room.slug}/")
        before = sum(received["frames"] for received in pages)
        began = time.monotonic()
        list(threads.map(talk, hands))
        said = time.monotonic()
        listening.result()
    with site.orm():
        wanted = list(Message.objects.order_by("pk").values_list("pk", flat=True))
    assert len(wanted) == LINES
    for received in pages:
        assert list(received["ids"]) == wanted
    shown = browser.locator("#messages .line")
    expect(shown.last).to_have_attribute("data-key", str(wanted[-1]))
    assert shown.evaluate_all("all => all.map(line => Number(line.dataset.key))") == wanted[-300:]
    assert browser.locator(".scroller").evaluate("one => one.scrollTop") == 0
    frames = sum(received["frames"] for received in pages) - before
    with capsys.disabled():
        print(
            f"\n{LINES} lines said in {said - began:.1f} s reached {PAGES} pages, all {LINES * PAGES} in order, "
            f"{max(received['at'] for received in pages) - said:.2f} s after the last was said: {frames} deliveries, "
            f"{LINES * PAGES / frames:.1f} lines in each"
        )


@pytest.fixture
def talking(wide, open_page):
    """alice's page at one process and bob's at another, each showing both of them. → ``(there, a, b)``"""
    here, there = wide
    alice, bob = (here.account(name, date_joined=timezone.now() - timedelta(days=30)) for name in ("alice", "bob"))
    make(here)
    a, b = enter(open_page(here, alice), "/rooms/the-lobby/"), enter(open_page(there, bob), "/rooms/the-lobby/")
    b.expect_troubles = True  # its server goes away
    for page in (a, b):
        expect(present(page)).to_have_text(["alice", "bob"])
    line_of(b).press_sequentially("Hi")
    expect(a.locator("#typing")).to_have_text("bob is typing…", timeout=SECOND)
    say(b, "Here I am")
    expect(a.locator("#messages .text")).to_have_text(["Here I am"], timeout=SECOND)
    expect(a.locator("#typing")).to_be_empty(timeout=SECOND)
    return there, a, b


def together_again(a, b):
    expect(b.locator("#messages .text")).to_have_text(["Here I am", "While you were away"], timeout=30 * SECOND)
    for page in (a, b):
        expect(present(page)).to_have_text(["alice", "bob"], timeout=30 * SECOND)


def test_the_people_of_a_killed_process_are_gone_and_come_back_and_miss_nothing(talking):
    there, a, b = talking
    there.kill()
    say(a, "While you were away")
    expect(present(a)).to_have_text(["alice"], timeout=45 * SECOND)
    there.start()
    together_again(a, b)


def test_the_people_of_a_process_that_sleeps_are_gone_and_come_back_and_miss_nothing(talking):
    there, a, b = talking
    there.process.send_signal(signal.SIGSTOP)
    try:
        say(a, "While you were away")
        expect(present(a)).to_have_text(["alice"], timeout=45 * SECOND)
    finally:
        there.process.send_signal(signal.SIGCONT)
    together_again(a, b)


KEYS = "".join(f"no {n:02}\n" for n in range(34))  # two hundred and a few
PACES = pytest.mark.parametrize("delay", [60, 100, 140])
LENGTHS = pytest.mark.parametrize("length", [40, 290])


@pytest.fixture
def long_room(sites, length):
    """A room with ``length`` lines, in which bob may talk as fast as he likes. → ``(site, bob)``"""
    site = sites(RATES="off")
    site.room = make(site)
    alice, bob = (site.account(name, date_joined=timezone.now() - timedelta(days=30)) for name in ("alice", "bob"))
    fill(site, site.room, alice, length)
    return site, bob


def assert_said(site, bob):
    with site.orm():
        assert (
            list(site.room.messages.filter(author=bob).order_by("pk").values_list("body", flat=True))
            == KEYS.split("\n")[:-1]
        )


@PACES
@LENGTHS
@pytest.mark.parametrize("slowness", [1, 4])
def test_every_key_lands_in_its_line_in_chromium(long_room, open_page, length, delay, slowness):
    site, bob = long_room
    page = enter(open_page(site, bob), "/rooms/the-lobby/")
    load_all(page.locator(".scroller").evaluate, page.locator(".line").count, length)
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slowness})
    line_of(page).focus()
    page.keyboard.type(KEYS, delay=delay)
    expect(page.locator("#lines .says")).to_have_count(1, timeout=120 * SECOND)
    expect(line_of(page)).to_have_value("")
    assert_said(site, bob)


@PACES
@LENGTHS
def test_every_key_lands_in_its_line_elsewhere(long_room, open_other, length, delay):
    site, bob = long_room
    page = open_other(site, bob).goto("/rooms/the-lobby/")
    page.expect(lambda: page.texts("#here-number") not in ([], [""]))
    scroll = "document.querySelector('.scroller')"
    load_all(lambda script: page.evaluate(f"({script})({scroll})"), lambda: page.count(".line"), length)
    page.click("#lines .says")
    page.type(KEYS, delay)
    page.expect_values("#lines .says", [""])
    assert_said(site, bob)


def load_all(evaluate, count, length):
    """Scroll up until all ``length`` lines are on the page."""
    while count() < length:
        evaluate("one => one.scrollTop = -one.scrollHeight")

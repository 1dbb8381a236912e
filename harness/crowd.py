"""Hundreds of pages at once, which do over HTTP and the socket what htmx does, and people who write to them."""

import asyncio
import json
import random
import re
import socket
import threading
import time
from bisect import bisect_left
from collections import Counter, deque
from contextlib import suppress
from functools import lru_cache, partial
from itertools import cycle
from statistics import quantiles
from urllib.request import Request, urlopen
from uuid import uuid4

import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import Frame, Opcode

from harness.hand import Hand
from live.testing import AGAIN, Page, must_ask_again, read_cursors, read_form
from posts.models import Comment

COME_BACK = (1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014, 4013)  # reconnectCodes in base.html
MINUTE = 60


# The pages


class Tab:
    """A page at one of ``sites`` (list of Site), from the address ``source``, as htmx keeps it.

    ``ids`` are the comments that it shows, ``readers`` is how many it says read along, ``notice`` the text it was
    told before it was sent away, ``over`` whether it has given up.
    """

    def __init__(self, sites, loaded, cookie, source, crowd):
        self.sites, self.form, self.cookie, self.source, self.crowd = sites, dict(loaded.form), cookie, source, crowd
        self.ids = numbers(loaded.html)
        self.path = loaded.path
        self.received, self.readers, self.notice, self.last = 0, None, "", b""
        self.asking = None
        self.closed, self.over, self.is_open = None, False, False
        self.task = None

    async def live(self):
        attempt = 0
        for site in cycle(self.sites):
            try:
                async with self.connection(site) as line:
                    attempt = 0
                    self.is_open = True
                    self.crowd.connects.append((time.monotonic(), site.port))
                    self.site = site
                    self.line = line
                    with suppress(ConnectionClosed):  # it may be sent away before it has said a word
                        await line.send(json.dumps(self.form))
                    await line.wait_closed()
                self.closed = line.close_code
                self.crowd.losses += 1
            except WebSocketException:
                self.closed = 1006
                self.crowd.refusals.append(time.monotonic())
            except OSError:
                self.closed = 1006
            finally:
                self.is_open = False
            if self.closed not in COME_BACK:
                self.over = True
                return
            await asyncio.sleep(min(0.5 * 2**attempt, 15) * random.uniform(0.7, 1.3))
            attempt += 1

    def connection(self, site):
        return connect(
            site.url.replace("http", "ws", 1) + "/ws/",
            origin=site.url,
            additional_headers={"Cookie": self.cookie},
            compression=None,
            proxy=None,
            max_size=None,
            ping_interval=None,
            close_timeout=2,
            local_addr=(self.source, 0),
            create_connection=partial(Line, self),
        )

    def hear(self, frame):
        now = time.monotonic()
        owes, ids, cursors, readers, marks, notice = read(frame)
        if owes and not self.asking:
            self.asking = asyncio.get_running_loop().create_task(self.ask())
        self.ids.update(ids)
        self.form.update(cursors)
        self.received += 1
        self.last = frame if marks or ids else self.last
        self.readers = self.readers if readers is None else readers
        self.notice = notice or self.notice
        self.crowd.arrivals.extend((mark, now) for mark in marks)

    async def ask(self):
        """Ask for the page again until it comes, say that all it held is still here, and take its cursors."""
        await asyncio.sleep(random.uniform(0.2, 2))
        query = f"?upto={min(self.ids, default=0)}"
        while True:
            try:
                html = await asyncio.to_thread(fetch, self.site.url + self.path + query, self.cookie)
                break
            except OSError:
                await asyncio.sleep(10)
        self.ids = numbers(html)
        self.form |= read_form(html)
        self.asking = None
        with suppress(ConnectionClosed, AttributeError):  # or it says so when it connects
            await self.line.send(json.dumps(self.form))

    def marked(self, text):
        return text.encode() in self.last


class Line(ClientConnection):
    """A connection that hands what it hears to its ``tab`` at once, without a queue and a task between."""

    def __init__(self, tab, *arguments, **options):
        super().__init__(*arguments, **options)
        self.tab = tab

    def process_event(self, event):
        if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
            self.tab.hear(bytes(event.data))
        else:
            super().process_event(event)


@lru_cache(64)
def read(frame):
    """What a page learns from ``frame`` (bytes), which most pages get alike."""
    html = frame.decode()
    readers = re.search(r'hx-target="#readers"[^>]*>(\d+)', html)
    return (
        must_ask_again(html),
        numbers(html),
        read_cursors(html),
        readers and int(readers[1]),
        {int(mark) for mark in re.findall(r"mark-(\d+)", html)},
        html if 'hx-target="#notice"' in html else "",
    )


def fetch(address, cookie):
    return urlopen(Request(address, headers={"Cookie": cookie, **AGAIN})).read().decode()


def numbers(html):
    return {int(pk) for pk in re.findall(r'id="comment-(\d+)"', html)}


class Crowd:
    """``count`` tabs on ``post``, in an event loop and thread of their own; all open within ``with``.

    They come ``per_second`` a second (0: only when told to ``come``), in turn with ``cookies`` (list of str) and from
    ``sources`` (addresses; else so many that none has fifty), and start at one of ``sites`` after the other.
    """

    def __init__(self, sites, post, count, cookies=("",), sources=None, per_second=80):
        self.sites, self.post, self.count, self.per_second = sites, post, count, per_second
        self.cookies = cookies
        self.sources = sources or [source(n) for n in range(count // 50 + 1)]
        self.tabs, self.loaded = [], {}
        self.connects, self.refusals, self.losses = [], [], 0
        self.arrivals = deque()  # (mark, time)
        self.lags = []
        self.loop = uvloop.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        self.watch = asyncio.run_coroutine_threadsafe(self.watch_lag(), self.loop)
        if self.per_second:
            self.come(per_second=self.per_second * len(self.sites))
            self.wait(lambda: len(self.open) == self.count, within=90)
            self.losses = 0
        return self

    def __exit__(self, *failure):
        self.losses_at_end = self.losses
        self.watch.cancel()
        self.leave(self.tabs)
        self.losses = self.losses_at_end
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def come(self, count=None, per_second=80):
        """Let ``count`` tabs (else all) come, ``per_second``."""
        began = time.monotonic()
        for n in range(count or self.count):
            place = len(self.tabs)
            cookie, source = self.cookies[place % len(self.cookies)], self.sources[place % len(self.sources)]
            first = place % len(self.sites)
            if cookie not in self.loaded:
                self.loaded[cookie] = Page(f"{self.sites[0].url}/posts/{self.post.slug}/", cookie)
            tab = Tab(self.sites[first:] + self.sites[:first], self.loaded[cookie], cookie, source, self)
            self.tabs.append(tab)
            self.run(self.start(tab))
            time.sleep(max(0, began + (n + 1) / per_second - time.monotonic()))  # the rate is the load

    async def start(self, tab):
        tab.task = asyncio.create_task(tab.live())

    def leave(self, tabs):
        """Close ``tabs`` for good."""
        tabs = list(tabs)
        self.run(self.stop(tabs))
        self.tabs = [tab for tab in self.tabs if tab not in tabs]

    async def stop(self, tabs):
        before = self.losses
        for tab in tabs:
            tab.task.cancel()
        await asyncio.gather(*(tab.task for tab in tabs), return_exceptions=True)
        self.losses = before

    def run(self, coroutine, within=MINUTE):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(within)

    def wait(self, condition, within):
        """Wait until ``condition()`` holds. → when it did (float). Raises ``AssertionError`` after ``within`` s."""
        deadline = time.monotonic() + within
        while not condition():
            assert time.monotonic() < deadline, f"not within {within} s: {self.state()}"
            time.sleep(0.05)
        return time.monotonic()

    def state(self):
        codes, readers = Counter(tab.closed for tab in self.tabs), Counter(tab.readers for tab in self.tabs)
        return f"{self.spread()} open of {len(self.tabs)}, closed before with {codes}, readers {readers}"

    @property
    def open(self):
        return [tab for tab in self.tabs if tab.is_open]

    def spread(self):
        """How many tabs are at which port."""
        return Counter(tab.site.port for tab in self.open)

    def agree(self, site, post, until):
        """Wait until every tab shows the database's comments, down to its oldest. → when (float)"""
        expected = sorted(comments(site, post))
        late = self.tabs
        while late := [tab for tab in late if sorted(tab.ids) != expected[bisect_left(expected, min(tab.ids)) :]]:
            if time.monotonic() > until:
                missing = [len(set(expected) - tab.ids) for tab in late]
                raise AssertionError(f"{len(late)} pages miss up to {max(missing)} comments: {self.state()}")
            time.sleep(0.05)
        assert all({*expected[-50:]} <= tab.ids for tab in self.tabs)
        return time.monotonic()

    # Figures

    def spans(self, talk, since=0, until=float("inf")):
        """Seconds from the start of each request of ``talk`` (sent in that time) to its arrival on each page."""
        sent = talk.sent
        return [now - sent[mark] for mark, now in list(self.arrivals) if since <= sent.get(mark, -1) < until]

    def p95(self, talk, since=0, until=float("inf"), cut=95):
        return percentile(self.spans(talk, since, until), cut)

    def worst(self, talk):
        return max(self.spans(talk))

    def lag(self, cut):
        return percentile(self.lags, cut)

    async def watch_lag(self):
        """How late this very loop is: what it adds to the figures."""
        while True:
            due = self.loop.time() + 0.05
            await asyncio.sleep(0.05)
            self.lags.append(self.loop.time() - due)

    def refused(self, since):
        return sum(moment >= since for moment in self.refusals)

    def fastest(self, since):
        """For each port, the most connects that were accepted in any one second."""
        return {port: max(sum(t <= u < t + 1 for u in times) for t in times) for port, times in self.by_port(since)}

    def within_allowance(self, burst, rate, since):
        """Whether no process accepted more than ``burst`` + ``rate`` a second, over any time (with 0.5 s of lag)."""
        return all(
            last - first + 1 <= burst + rate * (times[last] - times[first] + 0.5)
            for _, times in self.by_port(since)
            for first in range(len(times))
            for last in range(first, len(times))
        )

    def by_port(self, since):
        ports = {port for _, port in self.connects}
        found = {port: [t for t, other in self.connects if other == port and t >= since] for port in ports}
        return [(port, times) for port, times in found.items() if times]


# What presses on them


class Talk:
    """Eight people who write ``rate`` comments a second over HTTP to all ``sites``, of ``length`` characters and
    five times as many in HTML.

    What fails is noted (``failures``, pairs of when and what) and sent again to the next site with the same key.
    """

    def __init__(self, sites, post, rate, length=80, hands=8):
        socket.setdefaulttimeout(20)  # urllib's only way to an end, for all threads
        self.people = [sites[0].account(f"writer{n}") for n in range(hands)]
        self.hands = [[Hand(site, person, post) for site in sites] for person in self.people]
        self.length, self.pause = length, hands / rate
        self.sent, self.failures, self.slowest = {}, [], 0
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.write, args=[n], daemon=True) for n in range(hands)]

    @property
    def count(self):
        return len(self.sent)

    def write(self, mine):
        due = time.monotonic() + self.pause * mine / len(self.hands)
        mark = mine
        while not self.over.wait(max(0, due - time.monotonic())):
            self.insist(mine, mark)
            mark += len(self.hands)
            due = max(due + self.pause, time.monotonic() - 1)

    def insist(self, mine, mark):
        key = uuid4()
        text = f"mark-{mark} {key} ".ljust(self.length, "&")
        self.sent[mark] = began = time.monotonic()
        for hand in cycle(self.hands[mine][mark // len(self.hands) % len(self.hands[mine]) :] + self.hands[mine]):
            try:
                hand.write(text, key=key)
                break
            except OSError as error:  # HTTPError and URLError are such
                self.failures.append((time.monotonic(), f"{error!r}"))
                if time.monotonic() > began + MINUTE:
                    raise
                time.sleep(0.1)
        self.slowest = max(self.slowest, time.monotonic() - began)

    def end(self):
        """Say nothing more; all that was said has been taken."""
        self.over.set()
        for thread in self.threads:
            thread.join(MINUTE)
            assert not thread.is_alive()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *failure):
        self.over.set()
        for thread in self.threads:
            thread.join(MINUTE)
        socket.setdefaulttimeout(None)


class Reading:
    """Somebody who loads ``url`` again and again; ``spans`` (list of float) says how many seconds each took."""

    def __init__(self, url, cookie):
        self.request, self.spans, self.over = Request(url, headers={"Cookie": cookie}), [], threading.Event()
        self.thread = threading.Thread(target=self.read, daemon=True)

    def read(self):
        while not self.over.wait(0.05):
            began = time.monotonic()
            with urlopen(self.request, timeout=20) as answer:
                assert answer.status == 200 and answer.read()
            self.spans.append(time.monotonic() - began)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *failure):
        self.over.set()
        self.thread.join(MINUTE)
        assert len(self.spans) > 20


def comments(site, post):
    """The keys of the comments that stand (set of int)."""
    with site.orm():
        return set(Comment.objects.visible().filter(post=post.pk, parent=None).values_list("pk", flat=True))


def source(n):
    """One of this machine's own addresses (str): each counts as another's."""
    return f"127.0.0.{2 + n}"


def percentile(numbers, cut):
    assert len(numbers) > 1, "nothing was measured"
    return quantiles(numbers, n=100)[cut - 1]

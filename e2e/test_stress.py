"""The long runs: many pages, many comments, many cuts. Each asserts on what people have at the end."""

import random
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from e2e.words import ON_BOTH, rendered, show
from harness.hand import Hand
from harness.site import Relay
from live.testing import Page
from posts.models import Comment, Post

pytestmark = pytest.mark.stress


class Writers:
    """Threads that post ``total`` comments over HTTP, ``rate`` a second, some in answer to others."""

    def __init__(self, site, people, post, total, rate):
        self.hands = [Hand(site, person, post) for person in people]
        self.total, self.pause = total, len(self.hands) / rate
        self.errors = []
        self.threads = [threading.Thread(target=self.write, args=[n]) for n in range(len(self.hands))]

    def write(self, mine):
        due = time.monotonic()
        try:
            for n in range(mine, self.total, len(self.hands)):
                self.hands[mine].write(f"comment {n}", key=uuid4())
                due += self.pause
                time.sleep(max(0, due - time.monotonic()))  # the rate is the load
        except Exception as error:
            self.errors.append(error)

    @property
    def busy(self):
        return any(thread.is_alive() for thread in self.threads)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *failure):
        for thread in self.threads:
            thread.join()


@ON_BOTH
def test_fifty_pages_cut_twenty_times_each_agree_with_a_reload(site, post, cast, open_page, capsys):
    """Rows 1 and 2: 1000 comments meanwhile; none missing, none twice, in the order of a fresh page."""
    with Relay(site) as relay:
        pages = [show(open_page(relay), post) for _ in range(50)]
        for page in pages:
            page.expect_troubles = True
        cuts = 0
        with Writers(site, cast, post, total=1000, rate=12) as writers:
            while writers.busy:
                for _ in range(40):
                    relay.snip()
                    cuts += 1
                if random.random() < 0.2:
                    relay.cut()
                    cuts += len(pages)
                    time.sleep(random.uniform(0.1, 5))  # how long they are away is the load
                    relay.mend()
        assert not writers.errors
        with site.orm():
            last = Comment.objects.latest("pk")
            assert Comment.objects.count() == 1001
        fresh = open_page(site)
        fresh.goto(f"/posts/{post.slug}/")
        for page in pages:
            expect(page.locator(f"#comment-{last.pk}")).to_be_attached(timeout=60_000)
        keys = "list => [...list.children].map(one => Number(one.dataset.key))"
        newest = fresh.locator("#comments").evaluate(keys)
        for page in pages:
            expect(page.locator("#comment-count")).to_have_text("1001", timeout=60_000)
            has = page.locator("#comments").evaluate(keys)
            assert len(has) == len(set(has))
            assert has == sorted(has, reverse=True)
            assert has[:50] == newest
            oldest = has[-1]
            with site.orm():
                shown = Comment.objects.filter(pk__gte=oldest).order_by("-pk").values_list("pk", flat=True)
                assert has == list(shown)
        with capsys.disabled():
            print(f"\n{cuts} cuts over {len(pages)} pages while 1000 comments were posted")


@ON_BOTH
def test_five_hundred_page_loads_have_no_gap_between_page_and_socket(site, post, cast, capsys):
    address = f"{site.url}/posts/{post.slug}/"
    loads, slowest = 0, 0
    with Writers(site, cast, post, total=2500, rate=50) as writers:
        while loads < 500:
            began = time.monotonic()
            with Page(address) as page:
                page.connect()
                page.hear("cursor-post")
                has = {int(pk) for pk in re.findall(r'id="comment-(\d+)"', page.html + page.text)}
                assert has == set(range(min(has), max(has) + 1))
            slowest = max(slowest, time.monotonic() - began)
            loads += 1
    assert not writers.errors
    with capsys.disabled():
        print(f"\n{loads} loads without a gap, the slowest in {slowest:.2f} s")


@ON_BOTH
def test_pages_asleep_through_everything_wake_up_right(site, post, cast, open_page):
    """Rows 3 and 4, a hundred times over with random turns."""
    with Relay(site) as relay:
        page = show(open_page(relay, cast[1]), post)
        page.expect_troubles = True
        for turn in range(100):
            relay.cut()
            with site.orm():
                for _ in range(random.choice([1, 3, 10, 60])):
                    happen(Post.objects.get(pk=post.pk), random.choice(cast))
                mark = Post.objects.get(pk=post.pk).comment(cast[0], f"turn {turn}")
            relay.mend()
            expect(page.locator(f"#comment-{mark.pk}")).to_be_attached()
            fresh = open_page(site)
            fresh.goto(f"/posts/{post.slug}/")
            shown = min(one.locator("#comments").evaluate("list => list.children.length") for one in (page, fresh))
            for one in (page, fresh):  # what a page holds beyond a fresh one's fifty, or has not loaded yet
                one.locator("#comments").evaluate(
                    "(list, n) => [...list.children].slice(n).forEach(e => e.remove())", shown
                )
            assert rendered(page) == rendered(fresh), f"turn {turn}"
            fresh.context.close()


def happen(post, person):
    """Something that people do."""
    shown = list(post.comments.filter(state="shown").order_by("-pk")[:30])
    match random.randrange(5):
        case 0 if shown:
            chosen = random.choice(shown)
            chosen.remove(chosen.author)
        case 1 if shown:
            chosen = random.choice(shown)
            chosen.revise(chosen.author, f"edited {uuid4()}")
        case 2 | 3 if [one for one in shown if one.depth < 6]:
            post.comment(person, f"reply {uuid4()}", random.choice([one for one in shown if one.depth < 6]))
        case _:
            post.comment(person, f"comment {uuid4()}")


@contextmanager
def busy(loops):
    """Within, so many processes (int) take all the processor time that they are given."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.parametrize("through", ["models", "http"])
def test_forty_writers_on_sqlite_beside_four_busy_loops(site, post, cast, through, capsys):
    """None finds the database locked, and none waits much longer than the others."""
    took = []

    def by_models(writer):
        with site.orm():
            mine = Post.objects.get(pk=post.pk)
            for n in range(25):
                yield lambda n=n: mine.comment(cast[1], f"{writer}: {n}")

    def by_http(writer):
        hand = Hand(site, cast[writer % 3], post)
        for n in range(25):
            yield lambda n=n: hand.write(f"{writer}: {n}", key=uuid4())

    def write(writer):
        for comment in by_models(writer) if through == "models" else by_http(writer):
            began = time.monotonic()
            comment()
            took.append(time.monotonic() - began)

    with busy(4), ThreadPoolExecutor(40) as writers:
        list(writers.map(write, range(40)))
    with site.orm():
        assert Comment.objects.count() == 1001
    assert "locked" not in site.log and "Traceback" not in site.log
    with capsys.disabled():
        print(f"\n1000 comments by 40 writers, {through}: median {median(took):.2f} s, longest {max(took):.2f} s")
    assert max(took) <= 10 * median(took)

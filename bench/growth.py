"""Growth: what one comment and one page cost as the site gets bigger."""

import json
import tempfile
import time
from contextlib import ExitStack
from http.client import HTTPConnection
from itertools import cycle
from statistics import median

from bench import seed
from bench.crowd import Crowd
from bench.fanout import compare, fan_out
from bench.pages import Django
from bench.peers import SETTLED, Parley
from bench.writing import Durable, emptied
from harness.processes import cpu
from harness.servers import Redis
from live.cursors import cursors

IDLE = 4  # seconds over which the cost of doing nothing is measured: two heartbeats


def run(scale, rounds, env):
    """→ dict of ``comments``, ``pages``, ``streams`` and ``processes``: as the other stages, by size."""
    return {
        "comments": comments(scale, rounds, env),
        "pages": rounds(
            {str(n): n for n in scale.open_pages}, lambda n: fan_out(Parley(f"{n} pages", **env), n, scale)
        ),
        "streams": streams(scale, rounds, env),
        "processes": processes(scale, rounds, env),
    }


# Comments on the post


def comments(scale, rounds, env):
    """One site that ships and one that is only Django, each with a post of each size."""
    with ExitStack() as stack:
        live, plain = Parley("growing", **env), Django("growing", "parley.settings", **env)
        grown = {}
        for site in (live, plain):
            posts = seed.posts(site, site.author, len(scale.comments))
            for size, post in zip(scale.comments, posts, strict=True):
                seed.comments(site, site.author, post, size)
                grown.setdefault(str(size), []).append(post)
            stack.enter_context(site)
        return rounds(grown, lambda pair: one_size(live, plain, *pair, scale))


def one_size(live, plain, post, same_post, scale):
    """One comment to one listener, and one page, on a post of a certain size. → dict"""
    live.post = post
    with Crowd(live, 1) as crowd:
        crowd.converse(live.publish, 1, 3, 0)
        received = crowd.converse(live.publish, 1, 20, scale.seconds / 2, [live])
    plain.post = same_post
    line = HTTPConnection("127.0.0.1", plain.port)
    read(line, plain.page)
    before, began, count = cpu(plain.process.pid), time.monotonic(), 0
    while count < 20 or (time.monotonic() - began < scale.seconds / 2 and count < 10_000):
        length = read(line, plain.page)
        count += 1
    return {
        "cpu": median(received["cpu"]),
        "p50": received["p50"],
        "page_cpu": (cpu(plain.process.pid) - before) / count,
        "page_bytes": length,
    }


def read(line, address):
    """Get a page over an open ``line``. → its length (int)"""
    line.request("GET", address)
    answer = line.getresponse()
    assert answer.status == 200, answer.status
    return len(answer.read())


# Streams


def streams(scale, rounds, env):
    """One site with many posts, of which each has one listener."""
    most = max(scale.streams)
    with Parley("streams", **env) as site:
        posts = seed.posts(site, site.author, most)
        return rounds({str(n): posts[:n] for n in scale.streams}, lambda some: one_each(site, some, scale))


def one_each(site, posts, scale):
    """One comment to one listener of so many, and the CPU of a second in which nothing happens. → dict"""
    with site.orm():
        now = cursors(*posts)
    hellos = [("", json.dumps({"language": "en", cursor.signed: str(cursor.tick)})) for cursor in now]
    turns = cycle(posts)

    def publish(marker):
        site.post = next(turns)
        site.publish(marker)

    with Crowd(site, len(posts), hellos) as crowd:
        time.sleep(SETTLED)
        crowd.converse(publish, 1, 5, 0)
        received = crowd.converse(publish, 1, 20, scale.seconds / 2, [site])
        time.sleep(SETTLED)
        before = cpu(site.process.pid)
        time.sleep(IDLE)
        idle = (cpu(site.process.pid) - before) / IDLE
    return {"cpu": median(received["cpu"]), "p50": received["p50"], "p99": received["p99"], "idle": idle}


# Processes


def processes(scale, rounds, env):
    """PostgreSQL, Redis, and two processes on them: as many sockets on one, on both, or all on the other one."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="parley-bench-"))
        postgres, redis = stack.enter_context(Durable()), stack.enter_context(Redis(folder))
        options = emptied(stack, postgres, redis) | env
        one = Parley("one", **options)
        other = Parley("other", post=one.post, **options)
        origins = ",".join(site.options["env"]["ORIGINS"] for site in (one, other))
        for site in (one, other):
            site.options["env"]["ORIGINS"] = origins
            stack.enter_context(site)
        made = {
            "1": ([one], [one]),
            "2": ([one, other], [one, other]),
            "1, written through another": ([one], [other]),
        }
        return rounds(made, lambda pair: fan_out_from(*pair, scale))


def fan_out_from(listening, writing, scale):
    """As ``fan_out``, with the crowd on the sites ``listening`` and the comments written on those ``writing``."""
    ports = [site.port for site in listening]
    turns = cycle(writing)

    def publish(marker):
        next(turns).publish(marker)

    def talk(sockets, least, seconds):
        with Crowd(listening[0], sockets, ports=ports) as crowd:
            time.sleep(SETTLED)
            crowd.converse(publish, sockets, 3, 0)
            return crowd.converse(publish, sockets, least, seconds, listening)

    alone = talk(1, 20, scale.seconds / 2)
    many = talk(scale.crowd, 5, scale.seconds)
    return compare(alone, many, scale.crowd)

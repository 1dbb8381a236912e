"""Writing: comments over HTTP, and how soon another page has them."""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from bench import seed
from bench.crowd import Crowd
from bench.peers import Parley
from harness.hand import Hand
from harness.processes import cpu
from harness.servers import Postgres, Redis

WRITERS = 8
COMMENTS = 50
SQLITE = "SQLite, uvicorn"
SQLITE_DAPHNE = "SQLite, daphne"
POSTGRES = "PostgreSQL and Redis, uvicorn"
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")  # which the tests do without


class Durable(Postgres):
    """A PostgreSQL that survives a power cut, as its defaults have it."""

    @property
    def command(self):
        return [*super().command, *(word for name in DURABLE for word in ("-c", f"{name}=on"))]


def run(scale, rounds, env):
    """→ title -> list of dict, one for each round"""
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder, Durable() as postgres, Redis(folder) as redis:
        made = {
            SQLITE: lambda stack: (Parley(SQLITE, comments=COMMENTS, **env), None),
            SQLITE_DAPHNE: lambda stack: (Parley(SQLITE_DAPHNE, server="daphne", comments=COMMENTS, **env), None),
            POSTGRES: lambda stack: (
                Parley(POSTGRES, comments=COMMENTS, **emptied(stack, postgres, redis), **env),
                postgres,
            ),
        }

        def measure(make):
            with ExitStack() as stack:
                site, database = make(stack)
                return write(stack.enter_context(site), database, scale.seconds)

        return rounds(made, measure)


def emptied(stack, postgres, redis):
    """The options (dict) of a new site on ``postgres`` and ``redis``, which have nothing of another."""
    redis.clear()
    return {"database_url": stack.enter_context(postgres.migrated()), "redis_url": redis.url}


def write(site, database, seconds):
    """One round: one writer alone, then eight at once, while one socket listens. → dict"""
    with Crowd(site, 1) as crowd:
        crowd.converse(site.publish, 1, 5, 0)
        quiet = crowd.converse(site.publish, 1, 20, seconds)
        hands = [Hand(site, person, site.post) for person in seed.people(site, WRITERS)]
        crowd.expect(0)
        before, theirs, began = cpu(site.process.pid), database and cpu(database.process.pid), time.monotonic()
        count = all_at_once(hands, seconds)
        took = time.monotonic() - began
        used = cpu(site.process.pid) - before
        time.sleep(1)  # until the last is told, too
        busy = crowd.report()
    if busy["deliveries"] != count:
        raise RuntimeError(f"{count} comments were posted and {busy['deliveries']} were told")
    return {
        "rate": count / took,
        "p50": quiet["p50"],
        "p95": quiet["p95"],
        "busy_p50": busy["p50"],
        "busy_p95": busy["p95"],
        "cpu": used / count,
        "database_cpu": (cpu(database.process.pid) - theirs) / count if database else 0,
    }


def all_at_once(hands, seconds):
    """Each of ``hands`` writes one comment after the other for so many seconds. → how many there are (int)"""
    until = time.monotonic() + seconds

    def go(hand):
        count = 0
        while time.monotonic() < until and count < 10_000:
            hand.write(f"bench-{time.monotonic_ns()} {seed.WORDS}")
            count += 1
        return count

    with ThreadPoolExecutor(len(hands)) as pool:
        return sum(pool.map(go, hands))

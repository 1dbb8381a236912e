"""A burst: many lines said in one room at once, and when all of its pages have all of them, in order."""

import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cached_property
from itertools import cycle

from bench import seed
from bench.crowd import Crowd
from bench.fanout import ONCE
from bench.peers import SETTLED, Once, Parley, Peer, fragment
from bench.writing import POSTGRES, SQLITE, SQLITE_DAPHNE, Durable, emptied
from harness.hand import Hand
from harness.processes import cpu
from harness.servers import Redis
from rooms.models import Room

TALKERS = 5
MEMBERS = "SQLite, uvicorn, a members' room"


class Lobby(Parley):
    """Parley with one ``room`` of some ``kind`` and so many ``members`` (int), of whom the first are the talkers."""

    def __init__(self, title, members=TALKERS, kind=Room.Kind.OPEN, **options):
        super().__init__(title, **options)
        self.members = seed.people(self, members)
        self.room = seed.room(self, kind, self.members)

    @property
    def page(self):
        return self.url + self.room.get_absolute_url()

    @cached_property
    def voices(self):
        return [Hand(self, person, self.room).write for person in self.members[:TALKERS]]

    def publish(self, marker):
        self.voices[0](marker)

    def hellos(self):
        return seed.hellos(self, self.members, self.room)

    def lines(self):
        """The numbers in its lines (list of int), in their order."""
        with self.orm():
            bodies = list(self.room.messages.order_by("pk").values_list("body", flat=True))
        return [int(re.search(r"bench-(\d+)", body)[1]) for body in bodies]


class Chat(Once):
    """The chat of Channels' tutorial, told finished HTML: it keeps nothing, and asks nobody who they are."""

    @property
    def voices(self):
        return [self.publish] * TALKERS


def run(scale, rounds, env):
    """→ dict of ``lines`` and ``pages`` (int), and ``rows``: title -> list of dict, one for each round"""
    Peer.text = fragment(Lobby("sample"))
    count = scale.listeners
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder, Durable() as postgres, Redis(folder) as redis:
        made = {
            SQLITE: lambda stack: Lobby(SQLITE, count, **env),
            MEMBERS: lambda stack: Lobby(MEMBERS, count, Room.Kind.MEMBERS, **env),
            POSTGRES: lambda stack: Lobby(POSTGRES, count, **emptied(stack, postgres, redis), **env),
            SQLITE_DAPHNE: lambda stack: Lobby(SQLITE_DAPHNE, count, server="daphne", **env),
            ONCE: lambda stack: Chat(ONCE),
        }

        def measure(make):
            with ExitStack() as stack:
                return burst(make(stack), count, scale.lines)

        return {"lines": scale.lines, "pages": count, "rows": rounds(made, measure)}


def burst(peer, pages, lines):
    """One round of one ``peer``, freshly started. → dict; raises ``RuntimeError`` unless all had all, in order."""
    with peer, Crowd(peer, pages) as crowd:
        time.sleep(SETTLED)
        turns = cycle(peer.voices)
        crowd.converse(lambda marker: next(turns)(marker), pages, 2 * TALKERS, 0)  # warms it up; all are there
        crowd.expect(0)
        used, began = cpu(peer.process.pid), time.monotonic()
        said = all_at_once(peer.voices, lines)
        ended = time.monotonic()
        received = crowd.hear(lines * pages)
        used = cpu(peer.process.pid) - used
        order = crowd.order()
        check(said, order, peer.lines()[-lines:] if isinstance(peer, Lobby) else order)
    return {
        "rate": lines / (received["newest"] - began),
        "seconds": received["newest"] - began,
        "said": lines / (ended - began),
        "cpu": used / lines,
        "merged": received["deliveries"] / received["frames"],
        **{name: received[name] for name in ("p50", "p95", "frames", "bytes")},
    }


def all_at_once(voices, lines):
    """Each of ``voices`` says its share of ``lines`` (int), one after the other. → their numbers (list of int)"""

    def talk(voice):
        said = []
        for _ in range(lines // len(voices)):
            said.append(time.monotonic_ns())
            voice(f"bench-{said[-1]} {seed.WORDS}")
        return said

    with ThreadPoolExecutor(len(voices)) as pool:
        return [number for some in pool.map(talk, voices) for number in some]


def check(said, received, wanted):
    """Raise ``RuntimeError`` unless what was ``said`` was ``received``, each once and in the ``wanted`` order."""
    if sorted(received) != sorted(said):
        missing = len(set(said) - set(received))
        raise RuntimeError(f"{len(said)} lines were said and {len(received)} told; {missing} are missing")
    if received != wanted:
        raise RuntimeError("the lines came in another order than they are kept in")

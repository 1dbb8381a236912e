"""Fan-out: one text to many sockets, by Parley and by others, in turn."""

import json
import time
from contextlib import closing
from statistics import median

from bench import seed
from bench.crowd import Crowd
from bench.peers import SETTLED, Limit, Nchan, Node, Once, Parley, Peer, Tutorial, fragment
from harness.processes import cpu, memory
from people.markdown import render_markdown

FAST = "Parley on uvicorn, as it ships"
PLAIN = "Parley on uvicorn, plain ASGI"
DAPHNE = "Parley on daphne"
TUTORIAL = "Channels' tutorial on daphne"
ONCE = "Channels on daphne, rendered once"
NODE = "Node ws"
NCHAN = "nginx nchan"
LIMIT = "C, the limit"
SIGNED_IN = {FAST: "Parley on uvicorn, signed in", DAPHNE: "Parley on daphne, signed in"}


def peers(env):
    """What is measured: title -> a function that makes it."""
    return {
        LIMIT: lambda: Limit(LIMIT),
        NODE: lambda: Node(NODE),
        NCHAN: lambda: Nchan(NCHAN),
        FAST: lambda: Parley(FAST, **env),
        PLAIN: lambda: Parley(PLAIN, **{"LIVE_PROTOCOL": "websockets-sansio"} | env),
        DAPHNE: lambda: Parley(DAPHNE, server="daphne", **env),
        ONCE: lambda: Once(ONCE),
        TUTORIAL: lambda: Tutorial(TUTORIAL),
    }


def run(scale, rounds, env):
    """→ ``{sockets: rows}``, of which the rows are title -> list of dict, one for each round."""
    Peer.text = fragment(Parley("sample"))
    rest = Peer.text.partition("</hx-upsert>")[2]
    Tutorial.text = json.dumps({"html": render_markdown(f"MARK {seed.WORDS}"), "rest": rest})
    return {sockets: one_crowd(sockets, scale, rounds, env) for sockets in scale.sockets}


def one_crowd(sockets, scale, rounds, env):
    made = peers(env)
    people = {other: made[title] for title, other in SIGNED_IN.items()}
    rows = rounds(made, lambda make: fan_out(make(), sockets, scale))
    return rows | rounds(people, lambda make: sign_in(make(), sockets))


def fan_out(peer, sockets, scale):
    """One round of one ``peer``, freshly started. → dict

    One socket is told first: what this costs, publishing costs, and is taken off.
    """
    with peer:
        with Crowd(peer, 1) as crowd:
            crowd.converse(peer.publish, 1, 5, 0)  # warms it up
            alone = crowd.converse(peer.publish, 1, 20, scale.seconds / 2, [peer])
        found = connect(peer, sockets)
        with closing(found.pop("crowd")) as crowd:
            crowd.converse(peer.publish, sockets, 1, 0)
            many = crowd.converse(peer.publish, sockets, 3, scale.seconds, [peer])
    return found | compare(alone, many, sockets)


def compare(alone, many, sockets):
    """What one of so many ``sockets`` costs, from a conversation with one and one with all of them. → dict

    ``rate``: deliveries per second from the first delivery of a text, or from when a single socket would have
    had it if that is earlier (the load client may look up late), to the last. ``whole``: deliveries per second
    over all, publishing included.
    """
    start = min(median(many["first"]), median(alone["last"]))
    return {
        "rate": sockets / (median(many["last"]) - start),
        "whole": many["deliveries"] / many["seconds"],
        "alone": median(alone["last"]),
        "cpu": (median(many["cpu"]) - median(alone["cpu"])) / (sockets - 1),
        "cpu_alone": median(alone["cpu"]),
        **{name: many[name] for name in ("p50", "p99", "busy", "bytes")},
    }


def connect(peer, sockets, hellos=None):
    """Open ``sockets`` (int), and wait until the server is done with them. → dict, with the open ``crowd``"""
    size, used = memory(peer.process.pid), cpu(peer.process.pid)
    crowd = Crowd(peer, sockets, hellos).__enter__()
    time.sleep(SETTLED)
    return {
        "crowd": crowd,
        "connects": sockets / crowd.seconds,
        "connect_cpu": (cpu(peer.process.pid) - used) / sockets,
        "memory": (memory(peer.process.pid) - size) / sockets,
    }


def sign_in(site, sockets):
    """One round of so many people who open one page each, freshly started. → dict"""
    people = seed.people(site, sockets)
    with site:
        with Crowd(site, 1) as crowd:
            crowd.converse(site.publish, 1, 5, 0)  # warms it up
        found = connect(site, sockets, seed.hellos(site, people, site.post))
        with closing(found.pop("crowd")) as crowd:
            crowd.converse(site.publish, sockets, 2, 0)  # all of them are there
    return found

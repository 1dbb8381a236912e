"""Many processes' worth of rings against one real Redis: ``.venv/bin/python -m bench.simulate [--quick]``.

Each simulated process is a connection that subscribes as a hub does: to one channel for each stream that somebody
watches there. A ring is what the channel layer publishes, byte by byte. What a ring costs Redis, and what it costs
a process to hear it, is what docs/scaling.md reckons with. Prints Markdown; takes less than a minute.
"""

import asyncio
import multiprocessing
import os
import random
import selectors
import socket
import sys
import tempfile
import time
from contextlib import ExitStack, suppress

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "parley.settings")
django.setup()

from channels_redis.pubsub import RedisPubSubChannelLayer  # noqa: E402

from harness.processes import cpu  # noqa: E402
from harness.servers import Redis  # noqa: E402
from live.doorbell import group  # noqa: E402

QUICK = "--quick" in sys.argv
SECONDS = 0.5 if QUICK else 1.5  # that one measurement takes
LISTENING = (1, 10, 100) if QUICK else (1, 10, 100, 1000)  # processes on one stream
RATES = (200, 2000) if QUICK else (200, 1000, 3000, 6000)  # rings a second in the fleet
PROCESSES, STREAMS, WATCHED = 100, 10_000, 400  # of the fleet: each process watches so many of the streams
PATIENCE = 20  # seconds for what was published to have arrived

fork = multiprocessing.get_context("fork")
layer = RedisPubSubChannelLayer()


def main():
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="parley-simulate-"))
        plain, sharded = [stack.enter_context(kind(folder)) for kind in (Redis, Sharded)]
        print(f"{os.cpu_count()} cores, Redis {info(plain, 'redis_version')}; a ring is {len(ring(0))} bytes.\n")
        each, more = one_stream(plain, "PUBLISH", "SUBSCRIBE")
        one_stream(sharded, "SPUBLISH", "SSUBSCRIBE")
        fleet(plain, each, more)
        in_a_process(plain)


# What Redis does for a ring


def one_stream(redis, publish, subscribe):
    """Rings of one stream, for more and more processes on it. → Redis's CPU seconds for a ring, and for a delivery"""
    print(f"### {publish}: all processes on one stream\n")
    print("| processes | Redis CPU per ring | per delivery | bytes per delivery | most rings/s | most deliveries/s |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    costs = []
    for count in LISTENING:
        with Crowd(redis, subscribe, [[0]] * count) as crowd, Publisher(redis, publish) as publisher:
            spent, _ = strain(redis, crowd, publisher, count, batch=1)  # each ring is passed on by itself
            _, most = strain(redis, crowd, publisher, count, batch=32)  # in a hurry Redis takes several at once
        costs.append((count, spent))
        print(
            f"| {count} | {micro(spent)} | {micro(spent / count)} | {crowd.size} | {most:,.0f} | {most * count:,.0f} |"
        )
    each, more = straight(costs)
    print(f"\nA ring costs Redis about {micro(each)}, and {micro(more)} more for each process that hears it.\n")
    return each, more


def strain(redis, crowd, publisher, count, batch):
    """Ring as fast as Redis answers, ``batch`` rings at once. → its CPU seconds for a ring, and rings a second"""
    crowd.forget()
    before, began = cpu(redis.process.pid), time.monotonic()
    rings = publisher.flood(batch)
    crowd.wait(rings * count)
    return (cpu(redis.process.pid) - before) / rings, rings / (time.monotonic() - began)


def fleet(redis, each, more):
    """Processes that watch some of many streams each, at given rates; and what ``each`` and ``more`` foretell."""
    hear = PROCESSES * WATCHED / STREAMS
    print(f"### {PROCESSES} processes, each on {WATCHED} of {STREAMS:,} streams: {hear:g} hear a ring\n")
    print("| rings/s | deliveries/s | Redis busy | foretold | p50 | p99 |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    plans = [random.sample(range(STREAMS), WATCHED) for _ in range(PROCESSES)]
    empty = int(info(redis, "used_memory"))
    with Crowd(redis, "SUBSCRIBE", plans) as crowd, Publisher(redis, "PUBLISH") as publisher:
        full = int(info(redis, "used_memory"))
        for rate in RATES:
            crowd.forget()
            before, began = cpu(redis.process.pid), time.monotonic()
            rings = publisher.publish_at(rate) / (seconds := time.monotonic() - began)
            busy = (cpu(redis.process.pid) - before) / seconds
            received, delays = crowd.settle()
            print(
                f"| {rings:,.0f} | {received / seconds:,.0f} | {busy:.1%} | {rings * (each + more * hear):.1%} "
                f"| {milli(delays, 0.5)} | {milli(delays, 0.99)} |"
            )
    print(f"\nA subscription takes {(full - empty) / PROCESSES / WATCHED:.0f} bytes of Redis.\n")


def straight(points):
    """The line through ``points`` (list of x, y): y at 0, and how much it rises with x; near points count as much."""
    weights = [1 / y**2 for _, y in points]
    total = sum(weights)
    x = sum(w * px for w, (px, _) in zip(weights, points, strict=True)) / total
    y = sum(w * py for w, (_, py) in zip(weights, points, strict=True)) / total
    rise = sum(w * (px - x) * (py - y) for w, (px, py) in zip(weights, points, strict=True))
    rise /= sum(w * (px - x) ** 2 for w, (px, _) in zip(weights, points, strict=True))
    return y - rise * x, rise


# What a process does for a ring


def in_a_process(redis):
    print("### What the channel layer costs a process of Parley\n")
    for what, does in (("hear", hear), ("announce", announce)):
        ours, theirs = fork.Pipe()
        process = fork.Process(target=asyncio_run, args=(does, redis, theirs), daemon=True)
        process.start()
        answer(ours)
        if does is hear:
            with Publisher(redis, "PUBLISH") as publisher:
                publisher.publish_at(1000)
            ours.send("enough")
        count, spent = answer(ours)
        process.join(PATIENCE)
        print(f"- to {what} a ring: {micro(spent / max(count, 1))} of its CPU ({count:,} rings)")


def asyncio_run(does, redis, pipe):
    asyncio.run(does(RedisPubSubChannelLayer(hosts=[{"address": redis.url, "socket_timeout": None}]), pipe))


async def hear(layer, pipe):
    channel = await layer.new_channel()
    for stream in range(STREAMS):
        await layer.group_add(group(name(stream)), channel)
    await layer.send(channel, {})
    await layer.receive(channel)  # now all confirmations have come, too
    pipe.send("ready")
    count, before = 0, time.process_time()
    while not pipe.poll():
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                while True:
                    await layer.receive(channel)
                    count += 1
    pipe.send((count, time.process_time() - before))


async def announce(layer, pipe):
    pipe.send("ready")
    count, before, until = 0, time.process_time(), time.monotonic() + SECONDS
    while time.monotonic() < until:
        stream = name(random.randrange(STREAMS))
        await layer.group_send(group(stream), {"type": "ring", "name": stream, "head": time.monotonic_ns()})
        count += 1
    pipe.send((count, time.process_time() - before))


# The parts


class Sharded(Redis):
    """A cluster of one node: sharded pub/sub exists in clusters only."""

    @property
    def command(self):
        return [*super().command, "--cluster-enabled", "yes", "--cluster-config-file", f"nodes-{self.port}.conf"]

    def answers(self):
        if super().answers():
            self.ask("CLUSTER ADDSLOTSRANGE 0 16383")
            return self.ask("SPUBLISH a b") == ":0"


class Crowd:
    """Processes as ``redis`` sees them: one connection for each of ``plans`` (lists of streams to ``subscribe`` to)."""

    def __init__(self, redis, subscribe, plans):
        self.pipe, theirs = fork.Pipe()
        self.process = fork.Process(target=listen, args=(redis.port, subscribe, plans, theirs), daemon=True)
        kind = {"SUBSCRIBE": "message", "SSUBSCRIBE": "smessage"}[subscribe]
        self.size = len(resp(kind, channel(0), ring(0)))

    def __enter__(self):
        self.process.start()
        answer(self.pipe)
        return self

    def __exit__(self, *failure):
        self.process.kill()
        self.process.join()

    def received(self):
        """How many rings were delivered (int), and how long a part of them took (list of seconds)."""
        self.pipe.send("report")
        received, delays = answer(self.pipe)
        return received / self.size, delays

    def forget(self):
        self.pipe.send("forget")
        answer(self.pipe)

    def wait(self, count):
        """Wait until ``count`` rings were delivered."""
        until = time.monotonic() + PATIENCE
        while (have := self.received()[0]) < count:
            if time.monotonic() > until:
                raise TimeoutError(f"{have:,.0f} of {count:,} rings were delivered")
            time.sleep(0.005)

    def settle(self):
        """Wait until no more comes. → as ``received``"""
        seen, now = None, self.received()
        while now[0] != seen:
            time.sleep(0.2)
            seen, now = now[0], self.received()
        return now


def listen(port, subscribe, plans, pipe):
    """The process of a ``Crowd``: it counts bytes, and reads the time in the first ring of what comes in one piece."""
    watch = selectors.DefaultSelector()
    mark = b"\xa4head\xcf"  # msgpack: a text of four letters, and then eight bytes of a number
    for plan in plans:
        line = socket.create_connection(("127.0.0.1", port))
        line.sendall(b"".join(resp(subscribe, channel(stream)) for stream in plan))
        confirmed = 0
        while confirmed < len(plan):
            confirmed += line.recv(1_000_000).count(b"*3\r\n")
        watch.register(line, selectors.EVENT_READ)
    time.sleep(0.1)  # for the rest of the last confirmations
    for line, _ in watch.select(0):
        line.fileobj.recv(1_000_000)
    watch.register(pipe, selectors.EVENT_READ)
    pipe.send("ready")
    received, delays = 0, []
    while True:
        for key, _ in watch.select():
            if key.fileobj is not pipe:
                chunk = key.fileobj.recv(1_000_000)
                received += len(chunk)
                at = chunk.find(mark) + len(mark)
                if len(mark) <= at <= len(chunk) - 8:
                    delays.append((time.monotonic_ns() - int.from_bytes(chunk[at : at + 8])) / 1e9)
            elif pipe.recv() == "forget":
                received, delays = 0, []
                pipe.send("forgotten")
            else:
                pipe.send((received, delays))


class Publisher:
    """A connection to ``redis`` that rings with the command ``verb``."""

    def __init__(self, redis, verb):
        self.line = socket.create_connection(("127.0.0.1", redis.port), timeout=PATIENCE)
        self.verb = verb

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.line.close()

    def say(self, streams):
        """Ring ``streams`` (list of int) in one go, and wait until Redis has done so."""
        self.line.sendall(b"".join(resp(self.verb, channel(stream), ring(stream)) for stream in streams))
        answers = 0
        while answers < len(streams):
            answers += self.line.recv(65536).count(b"\n")

    def flood(self, batch):
        """Ring one stream as fast as it is answered, ``batch`` rings at once. → how many rings"""
        count, until = 0, time.monotonic() + SECONDS
        while time.monotonic() < until:
            self.say([0] * batch)
            count += batch
        return count

    def publish_at(self, rate):
        """Ring any of the streams, ``rate`` times a second. → how many rings"""
        count, began = 0, time.monotonic()
        while (passed := time.monotonic() - began) < SECONDS:
            if due := int(passed * rate) - count:
                self.say([random.randrange(STREAMS) for _ in range(due)])
                count += due
            time.sleep(0.001)  # the rate is the load
        return count


def name(stream):
    return f"post:{stream:07}"  # all are of one length: bytes tell how many rings they are


def channel(stream):
    return f"asgi__group__{group(name(stream))}"


def ring(stream):
    """What a hub says of ``stream`` (int), its head being the time: bytes."""
    return layer.serialize({"type": "ring", "name": name(stream), "head": time.monotonic_ns()})


def resp(*words):
    """The ``words`` (str or bytes) in Redis's protocol."""
    parts = [word.encode() if isinstance(word, str) else word for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


def info(redis, wanted):
    """The value (str) of ``wanted`` in what ``redis`` tells of itself."""
    with socket.create_connection(("127.0.0.1", redis.port), timeout=PATIENCE) as line:
        line.sendall(b"INFO\r\n")
        text = ""
        while "# Keyspace" not in text:
            text += line.recv(65536).decode()
    return text.partition(f"\r\n{wanted}:")[2].partition("\r\n")[0]


def answer(pipe):
    if not pipe.poll(PATIENCE + SECONDS):
        raise TimeoutError("A process of the simulation does not answer")
    return pipe.recv()


def micro(seconds):
    return f"{seconds * 1e6:.1f} µs"


def milli(delays, part):
    ordered = sorted(delays)
    return f"{ordered[int(len(ordered) * part)] * 1e3:.2f} ms" if ordered else "-"


if __name__ == "__main__":
    main()

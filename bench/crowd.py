"""A crowd: many sockets in one process (``client.c``), and what it heard."""

import json
import os
import subprocess
import tempfile
import time
from select import select

from harness.processes import cpu

MOST = 10_000  # messages in one conversation
PATIENCE = 60  # seconds after which a measurement has failed


class Crowd:
    """``count`` sockets to ``peer``, open within ``with``; ``seconds`` (float) says how long opening took.

    ``hellos`` (list of pairs of str) are what they bring along, in turn: cookies, and the first message.
    ``ports`` (list of int) spreads them over several processes.
    """

    program = None  # where client.c was compiled to

    def __init__(self, peer, count, hellos=None, ports=None):
        self.count = count
        self.hellos = hellos or peer.hellos()
        self.address = [",".join(map(str, ports or [peer.port])), peer.path, f"http://127.0.0.1:{peer.port}"]

    def __enter__(self):
        with tempfile.NamedTemporaryFile("w", prefix="parley-hellos-") as file:
            file.writelines(f"{cookie}\t{message}\n" for cookie, message in self.hellos)
            file.flush()
            self.process = subprocess.Popen(
                [self.program, *self.address, str(self.count), file.name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
            try:
                self.seconds = float(self.read().split()[1])
            except BaseException:
                self.close()
                raise
        return self

    def __exit__(self, *failure):
        self.close()

    def close(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    def converse(self, publish, expect, least, seconds, servers=()):
        """Publish one message after the other, the next when ``expect`` sockets have the last. → dict

        At least ``least`` messages, and more as long as ``seconds`` have not passed. ``publish(marker)`` is
        called with the text to be contained in the message. The dict has what client.c reports, ``seconds``:
        how long it took in all, and of each message (lists of float, in seconds) ``first`` and ``last``: when
        the first and the last socket had it; ``cpu``: what the ``servers`` used for it.
        """
        self.expect(expect)
        received = {"first": [], "last": [], "cpu": []}
        began, used = time.monotonic(), total_cpu(servers)
        while len(received["last"]) < least or (time.monotonic() - began < seconds and len(received["last"]) < MOST):
            publish(f"bench-{time.monotonic_ns()}")
            _, first, last = self.read().split()
            received["first"].append(int(first) / 1e9)
            received["last"].append(int(last) / 1e9)
            before, used = used, total_cpu(servers)
            received["cpu"].append(used - before)
        return received | {"seconds": time.monotonic() - began, **self.report()}

    def expect(self, count):
        """Measure from now on; a message is complete when ``count`` sockets have it (0: never)."""
        self.say(f"expect {count}")
        assert self.read().split() == ["ready"]

    def report(self):
        self.say("report")
        received = json.loads(self.read())
        if received["lost"]:
            raise RuntimeError(f"{received['lost']} of {self.count} sockets were closed")
        return received

    def hear(self, count):
        """Wait until there were ``count`` deliveries. → as ``report``; raises ``RuntimeError`` if they do not come."""
        until = time.monotonic() + PATIENCE
        while (received := self.report())["deliveries"] < count:
            if time.monotonic() > until:
                raise RuntimeError(f"{received['deliveries']} of {count} messages were told")
            time.sleep(0.1)
        return received

    def order(self):
        """The numbers of the messages (list of int) in the order in which all sockets had them.

        Raises ``RuntimeError`` if some had others, or had them in another order.
        """
        self.say("order")
        received = json.loads(self.read())
        if received["alike"] != self.count:
            raise RuntimeError(
                f"only {received['alike']} of {self.count} sockets had the same messages in the same order"
            )
        return received["order"]

    def say(self, command):
        os.write(self.process.stdin.fileno(), f"{command}\n".encode())

    def read(self):
        if not select([self.process.stdout], [], [], PATIENCE)[0]:
            raise TimeoutError(f"the sockets heard nothing for {PATIENCE} s")
        line = self.process.stdout.readline().decode()  # unbuffered: nothing is read that select could miss
        if not line:
            raise RuntimeError(f"the sockets are gone (exit code {self.process.wait()})")
        return line


def total_cpu(servers):
    return sum(cpu(server.process.pid) for server in servers)

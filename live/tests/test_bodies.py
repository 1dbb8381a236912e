"""The bodies of requests, and the frames of sockets: what is counted, and what it comes to."""

import asyncio

import pytest

from live.http import limits
from live.http.bodies import Bodies
from live.http.limits import FRAMES, KILOBYTE, MESSAGE, FrameCount

TEXT, CONTINUATION, PING = 1, 0, 9
FORM, FILES = b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x"


class Asked:
    """A request through ``Bodies``, with ``headers`` and a body in ``parts`` (bytes), after which nothing comes.

    ``received`` is what the application got, ``status`` what it was refused with.
    """

    def __init__(self, parts, *headers, complete=True):
        self.parts, self.received, self.status, self.left = parts, 0, None, len(parts)
        self.complete = complete
        scope = {"type": "http", "headers": headers}
        asyncio.run(Bodies(self.application, self.refuse)(scope, self.receive, None))

    async def receive(self):
        if not self.left:
            await asyncio.Event().wait()
        self.left -= 1
        more = bool(self.left) or not self.complete
        return {"type": "http.request", "body": self.parts[-1 - self.left], "more_body": more}

    async def application(self, scope, receive, send):
        more = True
        while more:
            message = await receive()
            self.received += len(message["body"])
            more = message["more_body"]

    async def refuse(self, scope, send, status):
        self.status = status


@pytest.mark.parametrize(("kind", "most"), [(FORM, 1_000_000), (FILES, 10 * 1024 * 1024), (b"text/plain", 1_000_000)])
def test_a_body_is_heard_up_to_its_limit(kind, most):
    for length, received, status in ((most, most, None), (most + 1, 0, 413), (10**15, 0, 413)):
        headers = (b"content-type", kind), (b"content-length", b"%d" % length)
        asked = Asked([bytes(min(length, most))], *headers)
        assert (asked.received, asked.status) == (received, status)
    for parts, status in (([bytes(most)], None), ([bytes(most), b"x"], 413), ([bytes(most // 2)] * 100, 413)):
        asked = Asked(parts, (b"transfer-encoding", b"chunked"), (b"content-type", kind))
        assert asked.received <= most and asked.status == status
        assert asked.left == 0 or len(parts) - asked.left <= 3  # no more was read than was needed to know


def test_a_body_that_does_not_come_is_refused(monkeypatch):
    monkeypatch.setattr(limits, "still", lambda: 0.01)
    for parts in ([], [b"a=b"], [b"a=b"] * 3):
        assert Asked(parts, (b"content-length", b"100"), complete=False).status == 408
    assert Asked([], (b"transfer-encoding", b"chunked"), complete=False).status == 408


def test_a_body_that_always_comes_but_too_slowly_is_refused(monkeypatch):
    monkeypatch.setattr(limits, "slow", lambda: 0)
    monkeypatch.setattr(limits, "SPEED", 1e12)
    assert Asked([b"x"] * 5, (b"content-length", b"100"), complete=False).status == 408


def test_frames_that_complete_nothing_are_counted_and_messages_are_not():
    count = FrameCount()
    assert not any(count.take(TEXT, True, 1000) for _ in range(10 * FRAMES))
    assert not any(count.take(PING, True, 0) for _ in range(FRAMES // 2))
    assert [count.take(PING, True, 0) for _ in range(FRAMES)][-1] == (1008, "frames")


@pytest.mark.parametrize("opcode", [TEXT, PING])
def test_frames_after_the_end_are_all_counted(opcode):
    count = FrameCount()
    assert any(count.take(opcode, True, 0, is_read=False) for _ in range(2 * FRAMES))


def test_large_frames_count_as_many():
    count = FrameCount()
    taken = 0
    while not count.take(PING, True, 10 * KILOBYTE):
        taken += 1
    assert taken <= FRAMES / 10


def test_a_message_is_no_larger_than_all_its_parts():
    count = FrameCount()
    for _ in range(3):  # each message anew
        assert not count.take(TEXT, False, MESSAGE // 2)
        assert not count.take(CONTINUATION, True, MESSAGE // 2)
    assert not count.take(TEXT, False, MESSAGE)
    assert count.take(CONTINUATION, False, 1) == (1009, "size")
    assert FrameCount().take(TEXT, True, MESSAGE + 1) == (1009, "size")


def test_an_allowance_comes_back(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: now[0])
    count = FrameCount()
    for _ in range(100):  # as many in the long run as come back
        now[0] += 1
        assert not any(count.take(PING, True, 0) for _ in range(limits.FRAMES_REFILL))
    assert any(count.take(PING, True, 0) for _ in range(2 * FRAMES))

"""What a stranger may send before anything of ours has looked at it, counted where it arrives.

The same for every server: ``uvicorn.py`` counts in uvicorn, ``daphne.py`` in daphne, ``bodies.py`` in any of them.
"""

import time

from live.conf import settings

MESSAGE = 65_536  # bytes of one message, with all its parts; the 16 384 characters of live/messages.py are fewer
FRAMES, FRAMES_REFILL = 200, 10  # frames that complete no message: so many at once, and more each second
KILOBYTE = 1024  # so many bytes of such a frame count as one frame more

POLICY, TOO_BIG = 1008, 1009  # codes with which a socket is closed (RFC 6455, 7.4.1)

LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
UNSENT = 131_072  # bytes of a socket that the kernel may hold before we hear that its page does not read
SPEED = 10_000  # bytes of a body for which it gets another second
LINGER_SIZE = 32_000_000  # bytes of a refused body that are received and dropped, see linger()


def head() -> float:
    """Seconds until the head of a request is complete."""
    return settings.REQUEST_TIMEOUT


def still() -> float:
    """Seconds between two parts of a body, and that a socket may not read."""
    return settings.REQUEST_TIMEOUT * 1.5


def slow() -> float:
    """Seconds that a body may take, beside those that ``SPEED`` gives to what has arrived."""
    return settings.REQUEST_TIMEOUT * 3


def unread() -> float:
    """Seconds that an answer may wait to be read."""
    return settings.REQUEST_TIMEOUT * 3


def linger() -> float:
    """Seconds for which a refused body is still received: a browser reads the answer when it has sent everything."""
    return min(settings.REQUEST_TIMEOUT, 5)


class FrameCount:
    """Counts the frames of one socket as they arrive.

    Messages are left to the application, which counts them itself and is given no more than it keeps up with. It never
    hears of pings, pongs and the parts of a message that does not end: these are counted here, with their bytes.
    """

    __slots__ = ("asked_at", "left", "message")

    def __init__(self) -> None:
        self.left: float = FRAMES
        self.asked_at = time.monotonic()
        self.message = 0  # bytes of the one that is not complete

    def take(self, opcode: int, fin: bool, length: int, is_read: bool = True) -> tuple[int, str] | None:
        """Count a frame of ``length`` bytes; unless ``is_read`` (bool) no application counts messages any more.

        → None, or why the socket is to be closed: the code (int) and a word (str)
        """
        if opcode < 8:
            self.message += length
            if self.message > MESSAGE:
                return TOO_BIG, "size"
            if fin:
                self.message = 0
                if is_read:
                    return None
        now = time.monotonic()
        self.left = min(FRAMES, self.left + (now - self.asked_at) * FRAMES_REFILL) - 1 - length / KILOBYTE
        self.asked_at = now
        return (POLICY, "frames") if self.left < 0 and settings.LIMITED else None


def patience(since: float, received: int) -> float:
    """Seconds (float) until the next part of a body must be here that began at ``since`` (``time.monotonic()``)."""
    return min(still(), since + slow() + received / SPEED - time.monotonic())

"""What a stranger may send before anything of ours has looked at it, counted where it arrives.

The same for every server: ``fast.py`` counts in uvicorn, ``daphne.py`` in daphne, ``bodies.py`` in any of them.
"""

import os
import time

MESSAGE = 65_536  # bytes of one message, with all its parts; live/consumers.py hears 16 384 characters, which are fewer
FRAMES, FRAMES_REFILL = 200, 10  # frames that complete no message: so many at once, and more each second
KILOBYTE = 1024  # so many bytes of such a frame count as one frame more
LIMITED = os.environ.get("RATES", "on") != "off"

POLICY, TOO_BIG = 1008, 1009  # codes with which a socket is closed (RFC 6455, 7.4.1)

HEAD = float(os.environ.get("REQUEST_TIMEOUT", 10))  # seconds until the head of a request is complete
STILL = HEAD * 1.5  # seconds between two parts of a body, and that a socket may not read
SLOW = HEAD * 3  # seconds that a body may take, and more for what has arrived: a second for each SPEED bytes
SPEED = 10_000
# A browser reads the answer when it has sent everything: so much of a refused body is received, and dropped.
LINGER, LINGER_SIZE = min(HEAD, 5), 32_000_000  # seconds, bytes
UNREAD = HEAD * 3  # seconds that an answer may wait to be read


class FrameCount:
    """Counts the frames of one socket as they arrive.

    Messages are left to the application, which counts them itself and is given no more than it keeps up with. It never
    hears of pings, pongs and the parts of a message that does not end: these are counted here, with their bytes.
    """

    __slots__ = ("asked_at", "left", "message")

    def __init__(self):
        self.left, self.asked_at = FRAMES, time.monotonic()
        self.message = 0  # bytes of the one that is not complete

    def take(self, opcode, fin, length, heard=True):
        """Count a frame of ``length`` bytes; unless ``heard`` (bool) no application counts messages any more.

        → None, or why the socket is to be closed: the code (int) and a word (str)
        """
        if opcode < 8:
            self.message += length
            if self.message > MESSAGE:
                return TOO_BIG, "size"
            if fin:
                self.message = 0
                if heard:
                    return None
        now = time.monotonic()
        self.left = min(FRAMES, self.left + (now - self.asked_at) * FRAMES_REFILL) - 1 - length / KILOBYTE
        self.asked_at = now
        return (POLICY, "frames") if self.left < 0 and LIMITED else None


def patience(since, received):
    """Seconds (float) until the next part of a body must be here that began at ``since`` (``time.monotonic()``)."""
    return min(STILL, since + SLOW + received / SPEED - time.monotonic())

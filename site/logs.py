"""What the log says: nothing that opens a door, and nothing so often that a stranger can fill the disk with it.

For all loggers, ours, Django's and the servers', since it is done where the lines go out (``LOGGING``).
"""

import logging
import re
from pathlib import Path
from threading import Lock
from time import monotonic
from traceback import extract_tb

BASE_DIR = Path(__file__).resolve().parent.parent

# The part of an address that is a key: whoever has it may set a password, confirm an address, end somebody's mails.
# nginx.conf holds the same, and a test compares both with the site's addresses.
KEY = re.compile(r"(/(?:unsubscribe|accounts/confirm-email|accounts/password/reset/key)/)[^/\s?#\"'<>]+")
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
LINE, TRACEBACK = 1000, 8000  # characters
SPAN, LINES = 60, 10  # so many lines of one place in so many seconds, one of them with a traceback
PLACES = 1000  # places in the code that are remembered


class Formatter(logging.Formatter):
    """One line for each record, below it a traceback if there is one: both cut in their middle, if too long."""

    def formatMessage(self, record):
        line = CONTROLS.sub(lambda match: repr(match[0])[1:-1], super().formatMessage(record))
        return cut(line, LINE)

    def formatException(self, exc_info):
        return cut(super().formatException(exc_info), TRACEBACK)

    def format(self, record):
        return redacted(super().format(record))


def redacted(text):
    """``text`` (str) without the keys in its addresses."""
    return KEY.sub(r"\1…", text)


def cut(text, most):
    """``text`` (str), or of a long one its beginning and its end: ``most`` characters and a mark."""
    return text if len(text) <= most else f"{text[: most // 3]} … {text[-(most - most // 3) :]}"


class Sparing(logging.Filter):
    """Lets each place in the code say ``LINES`` lines in ``SPAN`` seconds, and its traceback once.

    What it says next tells how many were held back. A refusal (a status below 500) has no traceback at all. ``clock``
    gives the time (seconds).
    """

    def __init__(self, clock=monotonic):
        super().__init__()
        self.clock = clock
        self.lock = Lock()
        self.said = {}  # place -> [when its span began, lines in it]

    def filter(self, record):
        place = place_of(record)
        with self.lock:
            now = self.clock()
            began, lines = self.said.get(place, (now, 0))
            held_back = 0
            if now - began >= SPAN:
                held_back, began, lines = max(0, lines - LINES), now, 0
            self.said[place] = began, lines + 1
            if len(self.said) > PLACES:
                self.said.pop(next(iter(self.said)))
        if lines >= LINES:
            return False
        if lines or getattr(record, "status_code", 500) < 500:
            record.exc_info = record.exc_text = None
        if held_back:
            record.msg = f"{record.msg} (and {held_back} more since the last minute that were not logged)"
        return True


def place_of(record):
    """What is the same for repetitions of ``record``: who says it where, and of an exception where it was raised."""
    where = record.name, record.levelno, record.pathname, record.lineno
    if not (record.exc_info and record.exc_info[2]):
        return where
    frames = [(frame.filename, frame.lineno) for frame in extract_tb(record.exc_info[2])]
    ours = [frame for frame in frames if frame[0].startswith(str(BASE_DIR)) and "site-packages" not in frame[0]]
    return *where, record.exc_info[0], *frames[-1:], *ours[-1:]

"""A line of writers: first come, first served."""

import os
import threading
from collections import deque

PARTS = 20  # in which a wait is counted, so that a process that was stopped meanwhile has not waited


class Turns:
    """Who may write next to one database file, among the threads of this process.

    ``line`` holds the events of those who wait, the first of whom is set when the turn is theirs. A turn that
    ends is handed on: nobody who comes at that moment is quicker. What is done under the lock may be
    interrupted by the end of a turn in the same thread, if garbage is collected there; ``take`` looks again.
    """

    def __init__(self):
        self.lock = threading.RLock()
        self.line = deque()
        self.taken = False
        self.ended = 0  # turns

    def take(self, patience):
        """Wait for the turn. → whether it is ours: not if one turn of others lasts ``patience`` (float) seconds."""
        ours = threading.Event()
        with self.lock:
            self.line.append(ours)
            self.hand_on()
        ended, waited = self.ended, 0
        try:
            while not ours.wait(patience / PARTS):
                waited = waited + 1 if ended == self.ended else 0
                ended = self.ended
                with self.lock:
                    self.hand_on()
                    if waited >= PARTS and not ours.is_set():
                        self.line.remove(ours)
                        return False
        except BaseException:  # a Ctrl-C
            with self.lock:
                self.end() if ours.is_set() else self.line.remove(ours)
            raise
        return True

    def end(self):
        """The turn is over."""
        with self.lock:
            self.ended += 1
            self.taken = False
            self.hand_on()

    def hand_on(self):
        if self.line and not self.taken:
            self.taken = True
            self.line.popleft().set()


_turns = {}  # path -> Turns
os.register_at_fork(after_in_child=_turns.clear)  # whoever has the turn does not live there


def turns(path):
    """The ``Turns`` of the database file at ``path`` (str)."""
    return _turns.setdefault(os.path.realpath(path), Turns())

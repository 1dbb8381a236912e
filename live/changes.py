"""change(): the way in which what a page shows is changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import transaction

from live.streams import name_of, rank_of
from live.ticks import tick

_under_way: ContextVar[tuple["Change", ...]] = ContextVar(
    "changes", default=()
)  # the changes that this thread is in, the outermost first


class LockOrder(RuntimeError):
    """A change within another one locks a stream of a lower rank (``Stream.rank``): two could wait for each other."""


class Change:
    """What is under way: the streams that it locked, and their new ticks."""

    def __init__(self) -> None:
        self.ticks: dict[str, int] = {}  # stream name -> tick

    def lock(self, *things: Any) -> None:
        """Lock the streams of more ``things``, and move them on as well."""
        new = {}
        for name, thing in ((name_of(thing), thing) for thing in things):
            now = tick_under_way(name)
            if now:
                self.ticks[name] = now
            else:
                new[name] = thing
        locked = [rank_of(name) for change in _under_way.get() for name in change.ticks]
        if any(rank_of(name) < max(locked, default=0) for name in new):
            raise LockOrder(f"{', '.join(new)}: the change under way holds streams of a higher rank.")
        self.ticks |= dict(zip(new, tick(*new.values()) if new else (), strict=True))

    def at(self, thing: Any) -> int:
        """The new tick (int) of the stream of ``thing``; for ``QuerySet.update``, which stamps nothing by itself."""
        return self.ticks[name_of(thing)]

    def undo(self) -> None:
        """Nothing changed after all: roll back, so that no page is told."""
        transaction.set_rollback(True)


@contextmanager
def change(*things: Any) -> Iterator[Change]:
    """``with live.change(post, room) as now:`` one change of what the pages of these ``things`` show.

    It is a transaction. It locks the streams of the things, in the engine's one order, so that what is read within
    stays so; and moves each on by one. Items (``live.Item``) that are saved within are stamped. After the
    commit, and only then, the open pages are told. → ``Change``

    A change within another one is a part of it; it may lock further streams, of no lower rank. Raises ``LockOrder``.

    To change the one thing, or item, that one has in one's hands, say ``with post.change()``: it is read afresh, too.
    """
    with transaction.atomic():
        now = Change()
        token = _under_way.set((*_under_way.get(), now))
        try:
            now.lock(*things)
            yield now
        finally:
            _under_way.reset(token)


def tick_under_way(name: str) -> int | None:
    """The tick (int) of the stream ``name`` in the change that is under way, or None."""
    for now in reversed(_under_way.get()):
        if name in now.ticks:
            return now.ticks[name]
    return None


class Watched:
    """``change()`` for a model of which there is a stream (``live.Stream``)."""

    @contextmanager
    def change(self: Any, *others: Any) -> Iterator[Change]:
        """As ``live.change`` of this thing, and of ``others``; it is read afresh. → ``Change``

        What was not saved is forgotten.
        """
        with change(self, *others) as now:
            self.refresh_from_db()
            yield now

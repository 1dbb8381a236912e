"""Deltas: what a page that fell behind is told; made once for all who need the same."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.utils import translation
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from live import fragments, metrics
from live.cache import html_cache
from live.cursors import Cursor, heads
from live.streams import Stream, find, kinds, name_of
from live.viewers import Viewer, people_of

logger = logging.getLogger("live")
shown_everywhere: list[
    Any
] = []  # watched things, as the names of people, that stand in fragments of any stream: apps add them
KEPT = 10  # seconds that a delta is kept: what it shows beyond all that ticks with it is never older
Refused = dict[Viewer, tuple[str, int | None]]


def ticks_of(name: str) -> tuple[int, ...]:
    """The newest tick of the stream ``name``, and those of what is shown everywhere (tuple of int)."""
    return tuple(heads([name, *map(name_of, shown_everywhere)]).values())


def delta(stream: Stream, since: int, ticks: tuple[int, ...] | None = None) -> tuple[str, int]:
    """What a page that has seen tick ``since`` (int) of ``stream`` must be told.

    Returns ``(text, head)``: the fragments (str, empty if nothing changed) and the tick (int) they lead to.
    The head is the first of ``ticks`` (``ticks_of``), which are read first: what is committed meanwhile is told twice
    rather than never. An item that cannot be rendered is logged and left out; the others go on.

    A step from one tick to another is rendered once for all who need it: the writer's answer, the open pages. A cursor
    is the page's to choose: all that are too old, or from the future, are one and the same step.
    """
    name = name_of(stream.thing)
    ticks = ticks or ticks_of(name)
    head = ticks[0]
    if since == head:
        return "", head
    key = name, get_language(), ticks
    if html_cache.get((*key, "too old"), -1) < since < head:
        try:
            return html_cache.get_or_set((*key, since), partial(_step, stream, since, head), KEPT), head
        except TooOld:
            html_cache.set((*key, "too old"), since, KEPT)
    return html_cache.get_or_set((*key, "debt"), partial(_debt, stream, head), KEPT), head


class TooOld(Exception):
    """More changed since a cursor than goes out one by one: so it did since all older ones."""


def _step(stream: Stream, since: int, head: int) -> SafeString:
    changes = stream.changes(since)
    if len(changes) > stream.limit:
        raise TooOld
    parts = [part for part in stream.parts if part.changed and getattr(stream.thing, part.changed) > since]
    told = [_safely(part.show, stream.thing) for part in parts]
    told += [_safely(shown.show, item, since) for shown, item in changes]
    return _closed([*told, _safely(stream.totals)], stream, head)


def _debt(stream: Stream, head: int) -> SafeString:
    """The cursor moves to the head, and nothing is lost by that: the debt stays on the page until it is paid."""
    metrics.DEBTS.inc()
    return _closed([fragments.debt(), _safely(stream.totals)], stream, head)


def _closed(parts: list[str], stream: Stream, head: int) -> SafeString:
    cursor = Cursor(name_of(stream.thing), head)
    return fragments.join([*parts, fragments.replace(cursor.html, f"#{cursor.element_id}")])


class Composed(NamedTuple):
    """A delta for many: its ``text`` and the tick ``head`` it leads to; the viewers ``refused``, who may not listen
    any more (dict to what ``Stream.ended`` says of them); and whether it is ``public``: for everybody."""

    text: str
    head: int
    refused: Refused
    public: bool


def compose(name: str, language: str, since: int, viewers: set[Viewer]) -> Composed:
    """Make one delta for ``viewers`` (set of ``Viewer``) of the stream ``name``, in ``language``. → ``Composed``

    The head is read before anybody is asked for: a right that ends later has a later tick, and is asked for again.
    """
    with translation.override(language):
        ticks = ticks_of(name)
        stream = find(name)
        public, refused = ask(name, stream, viewers)
        if stream is None or (refused and refused.keys() == viewers):
            return Composed("", since, refused, public)
        with metrics.RENDER.time():
            text, head = delta(stream, since, ticks)
        return Composed(text, head, refused, public)


def ask(name: str, stream: Stream | None, viewers: set[Viewer]) -> tuple[bool, Refused]:
    """Ask who of ``viewers`` (set of ``Viewer``) may listen to ``stream`` (None if what is called ``name`` is deleted).

    → ``(public, refused)``, as in ``Composed``: whether everybody may; and who may not, with what they are told.
    """
    if stream is None:
        kind = kinds.get(name.partition(":")[0])
        return False, dict.fromkeys(viewers, (kind.deleted() if kind else "", None))
    if stream.allows(AnonymousUser()):
        return True, {}
    people = people_of(viewers)
    allowed = stream.allowed(set(people.values()))
    return False, {viewer: stream.ended(viewer) for viewer, person in people.items() if person not in allowed}


def _safely(render: Callable[..., str], *arguments: Any) -> str:
    try:
        return render(*arguments)
    except Exception:
        metrics.FRAGMENT_ERRORS.inc()
        logger.exception("%s%r cannot be rendered", render.__qualname__, arguments)
        return ""

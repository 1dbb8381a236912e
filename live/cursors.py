"""Cursors: what a page has seen of its streams, and where these are now."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db.models import Q
from django.db.models.functions import Now
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from live.models import Head
from live.streams import kinds, name_of

signer = Signer(salt="live.streams")


@dataclass(frozen=True)
class Cursor:
    """The last ``tick`` (int) of the stream ``name`` (str) that a page has seen."""

    name: str
    tick: int

    @property
    def signed(self) -> str:
        """The stream's name with our signature: proof that we wrote it, not that one may listen."""
        return signer.sign(self.name)

    @property
    def element_id(self) -> str:
        return "cursor-" + re.sub(r"\W", "-", self.name)

    @property
    def html(self) -> SafeString:
        return render_to_string("live/cursor.html", {"cursor": self})


def unsign(signed: str) -> str:
    """The stream name in ``signed`` (str). Raises ``BadSignature`` if we did not write it."""
    name = signer.unsign(signed)
    if name.partition(":")[0] not in kinds:
        raise BadSignature(signed)
    return name


def heads(names: Iterable[str]) -> dict[str, int]:
    """The newest ticks of the streams ``names`` (iterable of str): dict of str to int, 0 for a new stream."""
    found = dict.fromkeys(names, 0)
    wanted = list(found)  # a copy, for we are in a thread
    for start in range(0, len(wanted), 200):  # SQLite limits the depth of an expression
        either = Q()
        for name in wanted[start : start + 200]:
            kind, _, key = name.partition(":")
            either |= Q(kind=kind, key=key)
        for head in Head.objects.filter(either):
            found[f"{head.kind}:{head.key}"] = head.head
    return found


def recent(seconds: float) -> dict[str, int]:
    """The streams that moved in the last ``seconds`` (by the database's clock): dict of name to newest tick."""
    moved = Head.objects.filter(moved__gte=Now() - timedelta(seconds=seconds))
    return {f"{head.kind}:{head.key}": head.head for head in moved}


def cursors(*things: Any) -> list[Cursor]:
    """The cursors (list of ``Cursor``) of a page that shows ``things``.

    Take them *before* the page's own queries: an overlap is harmless, a gap is not.
    """
    return [Cursor(name, tick) for name, tick in heads(map(name_of, things)).items()]


def seen(values: QueryDict, thing: Any) -> int | None:
    """The tick of ``thing``'s stream that a page says it has seen in ``values`` (a QueryDict), or None.

    Forms include the page's cursors, so that the answer brings what the page has not seen yet.
    """
    return _said(values, Cursor(name_of(thing), 0))


def resumed(values: QueryDict, cursors: list[Cursor]) -> list[Cursor]:
    """The same ``cursors`` (list of ``Cursor``), those that a page says in ``values`` at the ticks that it has seen."""
    said = [(cursor, _said(values, cursor)) for cursor in cursors]
    return [cursor if tick is None else Cursor(cursor.name, tick) for cursor, tick in said]


def _said(values: QueryDict, cursor: Cursor) -> int | None:
    said = values.get(cursor.signed, "")
    return int(said) if said.isdecimal() and len(said) < 19 else None

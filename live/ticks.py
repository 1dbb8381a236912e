"""tick(): the only way a stream moves."""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from live.hub import ring
from live.models import Head
from live.streams import name_of, rank_of


def tick(*things: Any) -> list[int]:
    """Move the streams of ``things`` on by one, inside the caller's transaction.

    Returns the new heads (list of int, as many as ``things``), with which the caller stamps the items that
    changed. Each stream's row stays locked until the transaction ends: so ticks become visible in their
    order, and no page skips the earlier of two. The rows are locked in one fixed order, by the streams' rank, kind and
    key: two changes of the same streams never wait for each other. After the commit, and only then, the streams are
    rung. However many things of one kind there are, they take a few queries.

    Raises ``TransactionManagementError`` outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("A stream ticks in the transaction of its change.")
    moved: dict[str, int] = {}
    for kind, rows, heads in locked(things):
        rows.update(head=F("head") + 1, moved=Now())
        moved |= {f"{kind}:{key}": head + 1 for key, head in heads.items()}
    transaction.on_commit(partial(ring, moved), robust=True)
    return [moved[name_of(thing)] for thing in things]


def lock(*things: Any) -> None:
    """Lock the streams of ``things`` as ``tick`` does, and move none: what they change stays as it is read now."""
    for _ in locked(things):
        pass


def locked(things: Iterable[Any]) -> Iterator[tuple[str, QuerySet[Head], dict[str, int]]]:
    """Lock the streams of ``things`` in their order. Yields for each kind its rows, and the head of each key."""
    names = sorted({(rank_of(name), *name.split(":", 1)) for name in map(name_of, things)})
    for kind, some in groupby(names, itemgetter(1)):
        keys = [str(key) for *_, key in some]
        rows = Head.objects.filter(kind=kind, key__in=keys)
        here = set(rows.values_list("key", flat=True))
        if len(here) < len(keys):  # new rows before those that are there are locked: nobody who has one waits for us
            new = [Head(kind=kind, key=key, moved=Now()) for key in keys if key not in here]
            Head.objects.bulk_create(new, ignore_conflicts=True)
        yield kind, rows, dict(rows.select_for_update().order_by("key").values_list("key", "head"))

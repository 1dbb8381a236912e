"""tick(): the only way a stream moves."""

from functools import partial

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from live.hub import ring
from live.models import Head
from live.streams import name_of


def tick(*things):
    """Move the streams of ``things`` on by one, inside the caller's transaction.

    Returns the new heads (list of int, as many as ``things``), with which the caller stamps the items that
    changed. Each stream's row stays locked until the transaction ends: so ticks become visible in their
    order, and no page skips the earlier of two. The rows are locked in one fixed order: two changes of the
    same streams never wait for each other. After the commit, and only then, the streams are rung.

    Raises ``TransactionManagementError`` outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("A stream ticks in the transaction of its change.")
    moved = {}
    for name in sorted(set(map(name_of, things))):
        kind, _, key = name.partition(":")
        row = Head.objects.filter(kind=kind, key=key)
        if not row.update(head=F("head") + 1, moved=Now()):
            Head.objects.bulk_create([Head(kind=kind, key=key, moved=Now())], ignore_conflicts=True)
            row.update(head=F("head") + 1, moved=Now())
        moved[name] = row.values_list("head", flat=True).get()
    transaction.on_commit(partial(ring, moved), robust=True)
    return [moved[name_of(thing)] for thing in things]

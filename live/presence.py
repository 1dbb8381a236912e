"""Leases and who is here.

One row per process and one per (process, stream, person), written only when a person's first tab opens or
last tab closes. A process that dies takes its people along when its lease runs out: ``disconnect`` is never
trusted to run. All times are the database's, so that a clock that jumps harms nobody.
"""

import os
import socket
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models import Count, Q, Sum
from django.db.models.functions import Now

from live.models import Lease, Presence

LEASE = 30  # seconds that a lease lasts without renewal


def claim() -> Lease:
    """Take this process's lease and return it.

    Raises ``ImproperlyConfigured`` if another process is alive while the channel layer is in memory: the two
    would not hear each other.
    """
    host, pid = socket.gethostname(), os.getpid()
    layers = getattr(settings, "CHANNEL_LAYERS", {"default": {"BACKEND": "InMemory"}})
    others = [lease for lease in living() if not (lease.host == host and is_gone(lease.pid))]
    if others and "InMemory" in layers["default"]["BACKEND"]:
        raise ImproperlyConfigured(
            "Another process uses this database, and a channel layer in memory does not reach it."
            " Several processes need Redis: set CHANNEL_LAYERS."
        )
    Lease.objects.filter(host=host, pid=pid).delete()
    return Lease.objects.create(host=host, pid=pid, renewed=Now())


def is_gone(pid: int) -> bool:
    """Whether the process ``pid`` (int) of this machine has ended, or is this very process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # not Linux, or gone this moment
        state = ""
    return pid == os.getpid() or state == "Z"  # ended, though nobody has asked how


def living() -> models.QuerySet[Lease]:
    return Lease.objects.filter(renewed__gt=Now() - timedelta(seconds=LEASE))


def renew(lease: Lease) -> bool:
    """Prove that this process lives; sweep away the leases that ran out, with their people.

    Returns False if others had swept this lease away (the machine slept): it is there again, but its people
    must be recorded anew.
    """
    Lease.objects.exclude(pk=lease.pk).exclude(pk__in=living()).delete()
    if Lease.objects.filter(pk=lease.pk).update(renewed=Now()):
        return True
    Lease.objects.create(pk=lease.pk, host=lease.host, pid=lease.pid, renewed=Now())
    return False


def record(lease: Lease, tabs: dict[tuple[str, str], int]) -> None:
    """Write the number of open tabs: ``tabs`` maps (stream name, who) to int; 0 takes the row away."""
    gone = Q(pk__in=[])
    for (stream, who), count in tabs.items():
        if not count:
            gone |= Q(stream=stream, who=who)
    Presence.objects.filter(gone, lease=lease).delete()
    Presence.objects.bulk_create(
        [Presence(lease=lease, stream=s, who=w, tabs=count) for (s, w), count in tabs.items() if count],
        update_conflicts=True,
        unique_fields=["lease", "stream", "who"],
        update_fields=["tabs"],
    )


def readers(streams: Iterable[str]) -> dict[str, int]:
    """How many are on each of ``streams`` (iterable of names): dict of str to int.

    A person counts once, however many tabs; every anonymous tab counts.
    """
    counts = dict.fromkeys(streams, 0)
    rows = Presence.objects.filter(stream__in=list(counts), lease__in=living()).values("stream")
    for row in rows.annotate(
        people=Count("who", distinct=True, filter=~Q(who="")),
        anonymous=Sum("tabs", default=0, filter=Q(who="")),
    ):
        counts[row["stream"]] = row["people"] + row["anonymous"]
    return counts


def people(streams: Iterable[str]) -> dict[str, tuple[tuple[str, ...], int]]:
    """Who is on each of ``streams`` (iterable of names): dict of str to (tuple of who, number of anonymous tabs).

    Those who came first come first.
    """
    here: dict[str, tuple[dict[str, bool], list[int]]] = {stream: ({}, []) for stream in streams}
    rows = Presence.objects.filter(stream__in=list(here), lease__in=living()).order_by("pk")
    for stream, who, tabs in rows.values_list("stream", "who", "tabs"):
        known, anonymous = here[stream]
        if who:
            known[who] = True
        else:
            anonymous.append(tabs)
    return {stream: (tuple(known), sum(anonymous)) for stream, (known, anonymous) in here.items()}


def streams_of(who: str) -> list[str]:
    """The names (list of str) of the streams on which the person ``who`` (str) is, and their pages are told."""
    return list(Presence.objects.filter(who=who).values_list("stream", flat=True).distinct())

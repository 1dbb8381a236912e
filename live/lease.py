"""The lease: a process's proof of life. What belongs to a process that died, goes with it when its lease runs out.

All times are the database's, so that a clock that jumps harms nobody.
"""

import os
import socket
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models.functions import Now

from live.models import Lease

LEASE = 30  # seconds that a lease lasts without renewal


def claim() -> Lease:
    """Take this process's lease and return it.

    Raises ``ImproperlyConfigured`` if another process is alive while the channel layer is in memory: the two
    would not hear each other.
    """
    host, pid = socket.gethostname(), os.getpid()
    layers = getattr(settings, "CHANNEL_LAYERS", {"default": {"BACKEND": "InMemory"}})
    others = [lease for lease in living() if not (lease.host == host and has_ended(lease.pid))]
    if others and "InMemory" in layers["default"]["BACKEND"]:
        raise ImproperlyConfigured(
            "Another process uses this database, and a channel layer in memory does not reach it."
            " Several processes need Redis: set CHANNEL_LAYERS."
        )
    Lease.objects.filter(host=host, pid=pid).delete()
    return Lease.objects.create(host=host, pid=pid, renewed=Now())


def has_ended(pid: int) -> bool:
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

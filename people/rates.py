"""How often one may: counted per person and per address, in rows of the database.

Rows and not the cache, for three reasons. They are shared by all processes, whatever runs beside them. Locked until
the caller's transaction ends, they are exact, and let the same attempt made twice at once find the first one's result.
And what is refused or rolled back costs nothing.
"""

import time
from contextlib import suppress
from datetime import timedelta
from math import ceil

from django.conf import settings
from django.core.cache import cache
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from live.address import rate_key
from live.heartbeat import periodic_task
from people.rules import Refused

TOO_FAST = _("You are posting too fast. Try again in %(n)s s.")
TOO_OFTEN = _("You have done this too often. Try again in %(n)s s.")
KEEP = 2 * 24 * 3600  # seconds; longer than any limit of settings.RATES_OF
SWEEP = 1000  # rows at a time


class TooFast(Refused):
    """Somebody did something too often; ``seconds`` (int) from now they may again."""

    status = 429

    def __init__(self, message, seconds):
        super().__init__(message, params={"n": seconds})
        self.seconds = seconds


class RateLimit(models.Model):
    """When ``key`` ("person 7", "address 10.0.0.1") did ``action`` lately: ``times``, in seconds since the epoch."""

    action = models.CharField(max_length=20)
    key = models.CharField(max_length=80)
    times = models.JSONField(default=list)
    last_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["action", "key"], name="one_row_per_action_and_key")]

    def wait(self, limits, now):
        """How long (seconds) until all ``limits`` (of (times, seconds)) allow once more; 0 or less if they do."""
        times = [min(counted_at, now) for counted_at in self.times]  # a clock that was set back locks nobody out
        return max((times[-most] + seconds - now for most, seconds in limits if len(times) >= most), default=0)


def consume(action, person=None, address=None, message=TOO_FAST, **others):
    """Count that ``person`` (None: nobody known) does ``action`` (a key of ``settings.RATES_OF``) from ``address``
    (str).

    Without an address it is the house's own doing (a command's, an administrator's, the end of an account) and counts
    for nobody. ``others`` are further things it is counted for (str), by the names of their limits.

    Call it inside the transaction of what is done, before that ticks: the rows stay locked until the transaction ends,
    and are locked in one order.

    → when it was counted, which is what ``refund`` takes. Raises ``TooFast`` with the sentence ``message``, which may
    name the seconds as %(n)s.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("What is spent is spent in the transaction of what it is for.")
    limits = limits_of(action, person, address, others)
    locked = RateLimit.objects.select_for_update().filter(action=action, key__in=list(limits)).order_by("key")
    rows = list(locked)
    if len(rows) < len(limits):
        RateLimit.objects.bulk_create(
            [RateLimit(action=action, key=key) for key in sorted(limits)], ignore_conflicts=True
        )
        rows = list(locked.all())
    now = time.time()
    raise_too_fast(rows, limits, now, message)
    for row in rows:
        most = max(times for times, _ in limits[row.key])
        row.times = [*row.times, now][-most:]
        row.last_at = timezone.now()
        row.save(update_fields=["times", "last_at"])
    return now


def refund(action, at, person=None, address=None, **others):
    """Let what ``consume`` counted at ``at`` (float, what it returned) not count: it was no misdeed."""
    limits = limits_of(action, person, address, others)
    with transaction.atomic():
        for row in RateLimit.objects.select_for_update().filter(action=action, key__in=list(limits)).order_by("key"):
            row.times = [counted_at for counted_at in row.times if counted_at != at]
            row.save(update_fields=["times"])


def check_rate(action, person=None, address=None, message=TOO_FAST, **others):
    """Raise ``TooFast`` if ``consume`` would, without spending: to be asked before what is costly."""
    limits = limits_of(action, person, address, others)
    raise_too_fast(RateLimit.objects.filter(action=action, key__in=list(limits)), limits, time.time(), message)


def raise_too_fast(rows, limits, now, message):
    wait = max((row.wait(limits[row.key], now) for row in rows), default=0)
    if wait > 0:
        raise TooFast(message, ceil(wait))


def limits_of(action, person, address, others):
    """Whom ``action`` is counted for, and how often each may: dict of a key to a list of (times, seconds)."""
    table = settings.RATES_OF.get(action, {})
    limits = {f"{kind} {value}"[:80]: table.get(kind, []) for kind, value in others.items()}
    if address is not None:
        limits[f"address {rate_key(address)}"[:80]] = table.get("address", [])
    if address is not None and person and person.pk:
        new = timezone.now() - person.date_joined < timedelta(seconds=settings.RATES_NEW)
        limits[f"person {person.pk}"] = table.get("new", table.get("person", [])) if new else table.get("person", [])
    return {key: allowed for key, allowed in limits.items() if allowed}


def is_hurried(action, person):
    """Whether ``person`` does ``action`` too often. The cache counts it: for what is asked often and writes nothing."""
    for most, seconds in settings.RATES_OF.get(action, {}).get("person", []):
        key = f"rate:{action}:{person.pk}:{int(time.time() // seconds)}"
        with suppress(ValueError):  # the cache lost it in this moment
            if not cache.add(key, 1, seconds) and cache.incr(key) > most:
                return True
    return False


@periodic_task
def forget():
    """Delete what counts no more, a few rows at a time."""
    old = RateLimit.objects.filter(last_at__lt=timezone.now() - timedelta(seconds=KEEP)).values("pk")[:SWEEP]
    if pks := [row["pk"] for row in old]:
        RateLimit.objects.filter(pk__in=pks).delete()

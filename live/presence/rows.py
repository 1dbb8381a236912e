"""The rows that say who is here, for all processes.

One for each (process, stream, person), written only when a person's first tab opens or last tab closes. A process that
dies takes its people along when its lease runs out: ``disconnect`` is never trusted to run.
"""

from collections.abc import Iterable

from django.db.models import Count, Q, Sum

from live.lease import living
from live.models import Lease, Presence


def record(lease: Lease, tabs: dict[tuple[str, str], int]) -> None:
    """Write the number of open tabs: ``tabs`` maps (stream name, who) to int; 0 takes the row away."""
    closed = Q(pk__in=[])
    for (stream, user_id), count in tabs.items():
        if not count:
            closed |= Q(stream=stream, user_id=user_id)
    Presence.objects.filter(closed, lease=lease).delete()
    Presence.objects.bulk_create(
        [Presence(lease=lease, stream=s, user_id=w, tabs=count) for (s, w), count in tabs.items() if count],
        update_conflicts=True,
        unique_fields=["lease", "stream", "user_id"],
        update_fields=["tabs"],
    )


def readers(streams: Iterable[str]) -> dict[str, int]:
    """How many are on each of ``streams`` (iterable of names): dict of str to int.

    A person counts once, however many tabs; every anonymous tab counts.
    """
    counts = dict.fromkeys(streams, 0)
    rows = Presence.objects.filter(stream__in=list(counts), lease__in=living()).values("stream")
    for row in rows.annotate(
        people=Count("user_id", distinct=True, filter=~Q(user_id="")),
        anonymous=Sum("tabs", default=0, filter=Q(user_id="")),
    ):
        counts[row["stream"]] = row["people"] + row["anonymous"]
    return counts


def people(streams: Iterable[str]) -> dict[str, tuple[tuple[str, ...], int]]:
    """Who is on each of ``streams`` (iterable of names): dict of str to (tuple of who, number of anonymous tabs).

    Those who came first come first.
    """
    here: dict[str, tuple[dict[str, bool], list[int]]] = {stream: ({}, []) for stream in streams}
    rows = Presence.objects.filter(stream__in=list(here), lease__in=living()).order_by("pk")
    for stream, user_id, tabs in rows.values_list("stream", "user_id", "tabs"):
        known, anonymous = here[stream]
        if user_id:
            known[user_id] = True
        else:
            anonymous.append(tabs)
    return {stream: (tuple(known), sum(anonymous)) for stream, (known, anonymous) in here.items()}


def streams_of(user_id: str) -> list[str]:
    """The names (list of str) of the streams on which the person ``user_id`` (str) is, and their pages are told."""
    return list(Presence.objects.filter(user_id=user_id).values_list("stream", flat=True).distinct())

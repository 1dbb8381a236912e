"""What is counted, in Prometheus' words; ``live/http/health.py`` tells it."""

from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

try:
    import prometheus_client
except ImportError:  # the extra "metrics" is not installed: nothing is counted
    prometheus_client = None  # type: ignore[assignment]


class Uncounted:
    """Stands in for any metric."""

    def labels(self, *values: str) -> "Uncounted":
        return self

    def inc(self, amount: float = 1) -> None:
        pass

    dec = set = observe = inc

    def time(self) -> AbstractContextManager[None]:
        return nullcontext()


def metric(kind: str, *arguments: Any) -> Any:
    return getattr(prometheus_client, kind)(*arguments) if prometheus_client else Uncounted()


Counter, Gauge, Histogram = (partial(metric, kind) for kind in ("Counter", "Gauge", "Histogram"))

CONNECTIONS = Gauge("live_connections", "Open sockets")
LISTENERS = Gauge("live_listeners", "Pages on streams; a page may be on several")
STREAMS = Gauge("live_streams", "Streams that somebody listens to, once for each language")
RINGS = Counter("live_rings", "Rings heard that were news")
DELTAS = Counter("live_deltas", "Deltas rendered for all who listen")
DELIVERIES = Counter("live_deliveries", "Texts handed to listeners")
CATCH_UPS = Counter("live_catch_ups", "Deltas rendered for one page that came with an older cursor")
DEBTS = Counter("live_full_replacements", "Deltas after which a page asks for itself again: it missed too much")
PAUSED = Counter("live_parked_listeners", "Listeners that did not read in time and left their audiences")
CUT = Counter("live_cut_listeners", "Listeners that were cut off")
REFUSED = Counter("live_refused_sockets", "Sockets refused or closed for asking too much", ["why"])
FRAGMENT_ERRORS = Counter("live_fragment_errors", "Fragments that could not be rendered")
RENDER = Histogram("live_render_seconds", "Reading and rendering one delta")
POST_TO_PAGE = Histogram("live_post_to_page_seconds", "From the ring, after the commit, to the last socket's write")
PAGES = Gauge("live_kept_pages", "Anonymous pages kept in front of Django")
PAGE_HITS = Counter("live_kept_page_answers", "Requests answered with a kept page")

"""What is counted, in Prometheus' words; ``live/health.py`` tells it."""

from prometheus_client import Counter, Gauge, Histogram

CONNECTIONS = Gauge("parley_connections", "Open sockets")
LISTENERS = Gauge("parley_listeners", "Pages on streams; a page may be on several")
STREAMS = Gauge("parley_streams", "Streams that somebody listens to, once for each language")
RINGS = Counter("parley_rings", "Rings heard that were news")
DELTAS = Counter("parley_deltas", "Deltas rendered for all who listen")
DELIVERIES = Counter("parley_deliveries", "Texts handed to listeners")
CATCH_UPS = Counter("parley_catch_ups", "Deltas rendered for one page that came with an older cursor")
DEBTS = Counter("parley_full_replacements", "Deltas after which a page asks for itself again: it missed too much")
PARKED = Counter("parley_parked_listeners", "Listeners that did not read in time and left their audiences")
CUT = Counter("parley_cut_listeners", "Listeners that were cut off")
REFUSED = Counter("parley_refused_sockets", "Sockets refused or closed for asking too much", ["why"])
FRAGMENT_ERRORS = Counter("parley_fragment_errors", "Fragments that could not be rendered")
RENDER = Histogram("parley_render_seconds", "Reading and rendering one delta")
POST_TO_PAGE = Histogram("parley_post_to_page_seconds", "From the ring, after the commit, to the last socket's write")
PAGES = Gauge("parley_kept_pages", "Anonymous pages kept in front of Django")
PAGE_HITS = Counter("parley_kept_page_answers", "Requests answered with a kept page")

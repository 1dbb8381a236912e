"""The question of a page that hears nothing: over plain HTTP, what its socket would have told it."""

import time
from collections import OrderedDict
from threading import Lock

from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from live import fragments, metrics
from live.address import address, rate_key
from live.conf import languages, settings
from live.connection import connect_again, heartbeat
from live.cursors import Cursor
from live.deltas import compose
from live.limits import AGAIN, AGAIN_LENGTH, AGAIN_MOST, AGAIN_REFILL, OF_A_PERSON, OF_AN_ADDRESS, TokenBucket
from live.messages import MESSAGE, NOT_WELCOME, STREAMS, TRY_AGAIN, Close, counted, sorry, stream_name
from live.viewers import Viewer, session_key

CLEARED = fragments.morph('<div id="notice" role="status"></div>', "#notice")  # it said why the page was not live
COUNTED = 10_000  # people and addresses of whom it is counted how much they asked
buckets: OrderedDict[str, TokenBucket] = (
    OrderedDict()
)  # "person 7" or "address 10.0.0.1" -> TokenBucket, the least recently used first
counting = Lock()


@never_cache
@require_safe
def missed(request: HttpRequest) -> HttpResponse:
    """What the page missed of each stream since the cursors that it says, or 204 if that is nothing.

    The page says what its socket's form does (``{% live %}``), with ``silent`` that its socket tells nothing though it
    seems to be open: it gets a new one; and with ``again`` that its person may have signed in once more. Each right is
    asked for: the viewer is whoever is signed in now.
    """
    language = request.GET.get("language")
    language = language if language in languages() else django_settings.LANGUAGE_CODE
    try:
        cursors, whispers = read(request)
    except Close:
        return HttpResponse(sorry(language, NOT_WELCOME) + heartbeat(language, "ended"), status=400)
    if not may_ask(request):
        metrics.REFUSED.labels("questions").inc()
        return HttpResponse(status=429, headers={"Retry-After": "15"})
    viewer = Viewer(session_key(request.COOKIES.get(django_settings.SESSION_COOKIE_NAME)))
    texts, live = [], []
    for name, since in cursors.items():
        text, head, refused, _ = compose(name, language, since, {viewer})
        if refused:
            farewell, code = refused[viewer]
            if code and code != TRY_AGAIN:  # its socket would be closed: it hears no more of anything
                return HttpResponse(farewell + heartbeat(language, "ended"))
            texts.append(farewell)
        else:
            texts.append(text)
            live.append(Cursor(name, min(since, head)))  # its own: what follows moves it, if it arrives
    text = fragments.join(texts)
    consume(request, min(len(text) / AGAIN_LENGTH, AGAIN_MOST * len(texts)))
    if "silent" in request.GET:
        with translation.override(language):
            text += CLEARED if "again" in request.GET else ""
            text = connect_again(live, whispers, request.user.is_authenticated) + text
    return HttpResponse(text, status=200 if text else 204)


def read(request: HttpRequest) -> tuple[dict[str, int], Cursor | None]:
    """The cursors that a page says (dict of stream name to tick), and the one to which it whispers, or None.

    Raises ``Close`` for what no page says.
    """
    if len(request.META.get("QUERY_STRING", "")) > MESSAGE:
        raise Close(NOT_WELCOME)
    values = request.GET.dict()
    for name in ("language", "silent", "again"):
        values.pop(name, None)
    signed = values.pop("whispers", "")
    whispers = Cursor(stream_name(signed), 0) if signed else None
    cursors = {stream_name(signed): counted(tick) for signed, tick in values.items()}
    if len(cursors) > STREAMS:
        raise Close(NOT_WELCOME)
    return cursors, whispers


def may_ask(request: HttpRequest) -> bool:
    """Whether whoever asks may ask once more; this counts as once."""
    now = time.monotonic()
    with counting:
        consumed = [bucket.consume(now) for bucket in buckets_of(request)]
    return all(consumed) or not settings.LIMITED


def consume(request: HttpRequest, cost: float) -> None:
    """Count what a question did cost, which is known only afterwards."""
    with counting:
        for bucket in buckets_of(request):
            bucket.left -= cost


def buckets_of(request: HttpRequest) -> list[TokenBucket]:
    """A person may ask as much as one page may be told anew, and an address as the persons that it has pages for."""
    keys = []
    if where := address(request.META.get("REMOTE_ADDR") or "", lambda name: request.headers.get(name, "")):
        keys.append(("address " + rate_key(where), OF_AN_ADDRESS))
    if request.user.is_authenticated:
        keys.append((f"person {request.user.pk}", OF_A_PERSON))
    for key, pages in keys:
        if key not in buckets:
            share = pages / OF_A_PERSON
            buckets[key] = TokenBucket(AGAIN * share, AGAIN_REFILL * share)
        buckets.move_to_end(key)
    while len(buckets) > COUNTED:
        buckets.popitem(last=False)
    return [buckets[key] for key, _ in keys]

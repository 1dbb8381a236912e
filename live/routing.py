"""What a site's ``asgi.py`` needs, be there consumers of other kinds beside ours or not.

``with_live(get_asgi_application())`` is all that most sites need. In a ``URLRouter`` of Channels stands
``*websocket_urlpatterns`` beside the routes of others.
"""

from django.conf import settings as django_settings
from django.http import parse_cookie
from django.http.request import split_domain_port, validate_host
from django.urls import path

from live import limits, metrics
from live.address import address
from live.asgi import Application, Headers, Receive, Scope, Send
from live.conf import settings
from live.consumers import LiveConsumer
from live.hub import serving
from live.messages import NOT_WELCOME, TRY_AGAIN
from live.viewers import session_key


def with_live(application: Application) -> Application:
    """The ASGI ``application`` of a site, with our sockets at ``LIVE["PATH"]``; all else it answers itself.

    Its process hears what changes from its first request on. Raises ``ImproperlyConfigured`` if another process is
    alive and the channel layer cannot reach it.
    """

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        ours = scope["type"] == "websocket" and scope["path"] == settings.PATH
        await (live if ours else application)(scope, receive, send)

    return serving(route)


async def live(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application for sockets. Refuses (403) any other path and any but our own exact origins.

    So it does when more pages come at once than can be served well: theirs is an error of the line, after which
    a page tries again, each time later.
    """
    await receive()  # websocket.connect
    headers = dict(scope["headers"])
    if scope["path"] != settings.PATH or not is_our_own(headers):
        metrics.REFUSED.labels("origin").inc()
        return await send({"type": "websocket.close", "code": NOT_WELCOME})
    if limits.is_storm():
        metrics.REFUSED.labels("storm").inc()
        return await send({"type": "websocket.close", "code": TRY_AGAIN})
    cookies = parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
    session = session_key(cookies.get(django_settings.SESSION_COOKIE_NAME))
    await send({"type": "websocket.accept"})
    listener = LiveConsumer(session, send, scope.get("extensions", {}).get("live.line"))
    peer = (scope.get("client") or [""])[0]
    await listener.run(receive, address(peer, lambda name: headers.get(name.lower().encode(), b"").decode("latin-1")))


def is_our_own(headers: Headers) -> bool:
    """Whether a page of this site asks for the socket whose ``headers`` (dict of bytes) these are."""
    origin, host = (headers.get(name, b"").decode("latin-1") for name in (b"origin", b"host"))
    if settings.ORIGINS:
        return origin in settings.ORIGINS
    hosts = django_settings.ALLOWED_HOSTS or ([".localhost", "127.0.0.1", "[::1]"] if django_settings.DEBUG else [])
    return bool(host) and origin.partition("://")[2] == host and validate_host(split_domain_port(host)[0], hosts)


websocket_urlpatterns = [path(settings.PATH.lstrip("/"), live)]  # type: ignore[arg-type]  # an ASGI application

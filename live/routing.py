"""What a site's ``asgi.py`` needs, be there consumers of other kinds beside ours or not.

``with_live(get_asgi_application())`` is all that most sites need. In a ``URLRouter`` of Channels stands
``*websocket_urlpatterns`` beside the routes of others.
"""

from django.urls import path

from live.conf import settings
from live.consumers import live
from live.hub import serving

websocket_urlpatterns = [path(settings.PATH.lstrip("/"), live)]


def with_live(application):
    """The ASGI ``application`` of a site, with our sockets at ``LIVE["PATH"]``; all else it answers itself.

    Its process hears what changes from its first request on. Raises ``ImproperlyConfigured`` if another process is
    alive and the channel layer cannot reach it.
    """

    async def route(scope, receive, send):
        ours = scope["type"] == "websocket" and scope["path"] == settings.PATH
        await (live if ours else application)(scope, receive, send)

    return serving(route)

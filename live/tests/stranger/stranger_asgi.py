from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402
from notes.consumers import Echo  # noqa: E402

from live.routing import serving, websocket_urlpatterns  # noqa: E402

sockets = AuthMiddlewareStack(URLRouter([path("ws/echo/", Echo.as_asgi()), *websocket_urlpatterns]))
application = serving(ProtocolTypeRouter({"http": django_application, "websocket": sockets}))

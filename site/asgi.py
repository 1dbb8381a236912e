import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "parley.settings")
django = get_asgi_application()

from channels.routing import ProtocolTypeRouter  # noqa: E402  Django must be set up first

from live.consumers import live  # noqa: E402
from live.health import Health  # noqa: E402
from live.hub import serving  # noqa: E402
from live.pages import Pages  # noqa: E402

application = serving(ProtocolTypeRouter({"http": Health(Pages(django)), "websocket": live}))

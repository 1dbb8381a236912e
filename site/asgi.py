import os
from concurrent.futures import ThreadPoolExecutor

from django import setup

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "parley.settings")
setup(set_prefix=False)

from channels.db import DatabaseSyncToAsync  # noqa: E402  Django must be set up first
from channels.routing import ProtocolTypeRouter  # noqa: E402
from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from parley.requests import Handler  # noqa: E402

from live.http.bodies import Bodies  # noqa: E402
from live.http.health import Health  # noqa: E402
from live.http.pages import Pages  # noqa: E402
from live.hub import serving  # noqa: E402
from live.routing import live  # noqa: E402
from people.errors import refuse_body  # noqa: E402

THREADS = 12  # requests that Django answers at once in this process; fewer than connections in the pool


class OneThread(Handler):
    """Django, each request from its first middleware to its last in one thread of a few that stay.

    Django's own handler starts a thread for each request and changes to it and back at each middleware, which
    costs as much as many a page. Nothing of ours is asynchronous there.
    """

    def load_middleware(self, is_async=False):
        super().load_middleware(is_async=False)
        threads = ThreadPoolExecutor(THREADS, "request")
        chain = DatabaseSyncToAsync(self._middleware_chain, thread_sensitive=False, executor=threads)
        self._middleware_chain = chain

    async def __call__(self, scope, receive, send):
        await self.handle(scope, receive, send)


http = Health(Pages(Bodies(OneThread(), refuse_body)))
try:
    application = serving(ProtocolTypeRouter({"http": http, "websocket": live}))
except ImproperlyConfigured as error:
    raise ImproperlyConfigured(f"{error} That is, set REDIS_URL.") from None

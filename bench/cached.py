"""Parley's settings with Django's cache middleware around everything, to compare with."""

from django.middleware.cache import UpdateCacheMiddleware
from parley.settings import *  # noqa: F403
from parley.settings import MIDDLEWARE


class Keep(UpdateCacheMiddleware):
    """Keeps pages for ten minutes, although they say that nobody shall."""

    def __init__(self, get_response):
        super().__init__(get_response)
        self.page_timeout = 600


MIDDLEWARE = ["bench.cached.Keep", *MIDDLEWARE, "django.middleware.cache.FetchFromCacheMiddleware"]

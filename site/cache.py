import logging

from django.core.cache.backends import redis
from redis.exceptions import RedisError

logger = logging.getLogger("parley")


class RedisCache(redis.RedisCache):
    """Django's cache in Redis, but while Redis is away it is empty: sign-in goes on, if unlimited, and pages too."""

    away = False

    def attempt(self, ask, otherwise, *arguments, **keywords):
        try:
            answer = ask(*arguments, **keywords)
        except RedisError as error:
            if not self.away:
                logger.warning("the cache does without Redis (%s)", type(error).__name__)
            RedisCache.away = True
            return otherwise
        RedisCache.away = False
        return answer

    def add(self, key, value, *arguments, **keywords):
        return self.attempt(super().add, True, key, value, *arguments, **keywords)

    def get(self, key, default=None, **keywords):
        return self.attempt(super().get, default, key, default, **keywords)

    def set(self, key, value, *arguments, **keywords):
        self.attempt(super().set, None, key, value, *arguments, **keywords)

    def incr(self, key, *arguments, **keywords):
        return self.attempt(super().incr, 0, key, *arguments, **keywords)

    def delete(self, key, **keywords):
        return self.attempt(super().delete, False, key, **keywords)

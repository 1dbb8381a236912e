"""HTML that was rendered already: one cache for the whole process, bounded in bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from sys import getsizeof
from threading import Lock
from time import monotonic
from typing import Any

BYTES = 32 * 1024 * 1024
Key = Hashable
Value = str | int
LARGEST = 1 / 4  # of all, that one entry may take: one that is larger is not kept


class HTMLCache:
    """At most ``limit`` bytes (int) of values and their keys; the least recently used leave first.

    For all threads of a process, and called as Django's caches are. A missing value is rendered by one thread, for
    which the others that ask meanwhile wait. What strangers choose must not be part of a key: they would fill it.
    """

    def __init__(self, limit: int = BYTES) -> None:
        self.limit = limit
        self.size = 0
        self.entries: OrderedDict[Key, tuple[Value, int, float]] = (
            OrderedDict()
        )  # key -> (value, bytes, when it ends), the least recently used first
        self.rendering: dict[Key, Future[Value]] = {}  # key -> Future
        self.lock = Lock()

    def get(self, key: Key, default: Any = None) -> Any:
        with self.lock:
            return self._get(key, default)

    def set(self, key: Key, value: Value, timeout: float = float("inf")) -> None:
        """Keep ``value`` (str or int) for ``timeout`` seconds at most."""
        size = weight(key) + weight(value)
        with self.lock:
            self._drop(key)
            if size > self.limit * LARGEST:
                return
            self.entries[key] = value, size, monotonic() + timeout
            self.size += size
            while self.size > self.limit:
                self._drop(next(iter(self.entries)))

    def get_or_set(self, key: Key, render: Callable[[], Any], timeout: float = float("inf")) -> Any:
        """The value of ``key``, or else what ``render()`` returns. Raises what ``render`` raises, for all who wait."""
        with self.lock:
            value = self._get(key)
            if value is not None:
                return value
            future = self.rendering.get(key)
            if is_ours := future is None:
                future = self.rendering[key] = Future()
        if not is_ours:
            return future.result()
        try:
            value = render()
            self.set(key, value, timeout)
            future.set_result(value)
        except BaseException as error:
            future.set_exception(error)
            raise
        finally:
            with self.lock:
                del self.rendering[key]
        return value

    def clear(self) -> None:
        with self.lock:
            self.entries.clear()
            self.size = 0

    def _get(self, key: Key, default: Any = None) -> Any:
        value, _, ends = self.entries.get(key, (default, 0, 0))
        if monotonic() >= ends:
            self._drop(key)
            return default
        self.entries.move_to_end(key)
        return value

    def _drop(self, key: Key) -> None:
        _, size, _ = self.entries.pop(key, (None, 0, 0))
        self.size -= size


def weight(value: object) -> int:
    """The bytes that ``value`` holds: a str, a number, or a tuple of such."""
    return getsizeof(value) + (sum(map(weight, value)) if isinstance(value, tuple) else 0)


html_cache = HTMLCache()

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from channels.db import database_sync_to_async

P = ParamSpec("P")
T = TypeVar("T")


def in_thread(function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> Coroutine[Any, Any, T]:
    """Run ``function`` in a worker thread with healthy database connections; not Channels' single one."""
    return database_sync_to_async(function, thread_sensitive=False)(*arguments, **keywords)

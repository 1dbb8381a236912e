"""Coroutines that are stepped once by hand: almost all finish in that one step, at the cost of a function call."""

from collections.abc import Coroutine, Generator
from typing import Any


class Rest:
    """Awaits the rest of a coroutine that was stepped once by hand and yielded ``blocker`` (a future)."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], blocker: Any) -> None:
        self.coroutine = coroutine
        self.blocker = blocker

    def __await__(self) -> Generator[Any, Any, None]:
        blocker = self.blocker
        while True:
            step: Any
            value: Any
            try:
                yield blocker
            except BaseException as error:
                step = self.coroutine.throw
                value = error
            else:
                step = self.coroutine.send
                value = None
            try:
                blocker = step(value)
            except StopIteration as done:
                return done.value


async def read_out(rest: Rest) -> None:
    await rest

"""Retries: a page that may not hear a stream now is let in when its right is back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from live.consumers import LiveConsumer


class Retry:
    """A subscriber for a ``listener`` that may not hear a stream now: tried again, from its ``cursor``, when the stream
    moves beyond the tick ``heard``."""

    def __init__(self, listener: LiveConsumer, cursor: int, heard: int = 0) -> None:
        self.listener, self.cursor, self.heard = listener, cursor, heard

    def start(self, name: str) -> None:
        """Wait for the stream ``name``; once for each listener."""
        if name not in self.listener.retries and not self.listener.disconnected:
            self.listener.retries[name] = self
            self.listener.hub.subscribers[name][self] = True

    def on_head(self, name: str, head: int) -> None:
        if head > self.heard:
            self.heard = head
            self.listener.hub.spawn(self.listener.hub.join(self.listener, name, self.cursor))


def stop_retrying(listener: LiveConsumer, *names: str) -> None:
    """Try ``listener`` no more with ``names`` (all, if none are given): it hears them again, or it is gone."""
    for name in names or tuple(listener.retries):
        if retry := listener.retries.pop(name, None):
            listener.hub.unsubscribe(retry, [name])

"""The heartbeat: what a process does again and again, be there news or not.

Its *pulse* heals what the doorbell lost, renews the lease and has the chores done; and every page gets a sign of life.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from live import lease as leases
from live.conf import settings
from live.connection import heartbeat
from live.cursors import heads, recent
from live.models import Lease
from live.threads import in_thread

if TYPE_CHECKING:
    from live.hub import Hub

logger = logging.getLogger("live")

RENEWAL = 10  # seconds between two renewals of the lease
LOOK = 30  # seconds between two looks at all heads; in between the pulse asks for those that moved lately only
HEARTBEAT_SLICE, HEARTBEAT_PAUSE = 100, 0.01  # so many get theirs at once; then others have their turn, so many seconds

Chore = Callable[[], object]
chores: list[Chore] = []


def on_pulse(chore: Chore) -> Chore:
    """Decorator: call ``chore()`` in a thread at each pulse of each process, unless its last turn is not over there.

    It must bear the company of other processes.
    """
    chores.append(chore)
    return chore


class Heartbeat:
    """Belongs to the ``hub``, and holds the ``lease`` of the process, once there is one."""

    def __init__(self, hub: "Hub", lease: Lease | None) -> None:
        self.hub = hub
        self.lease, self.renewed_at, self.looked_at = lease, hub.loop.time(), 0.0
        self.at_work: set[Chore] = set()  # the chores whose turn is not over

    async def pulse(self) -> None:
        while True:
            try:
                await self.beat()
            except Exception:
                logger.exception("the pulse missed a beat")
            await asyncio.sleep(settings.LOOK_EVERY)

    async def beat(self) -> None:
        """Renew the lease, see rings that were lost, join groups that could not be joined, do the chores."""
        if self.lease is None:
            self.lease = await in_thread(leases.claim)
        elif self.hub.loop.time() >= self.renewed_at + RENEWAL:
            if not await in_thread(leases.renew, self.lease):
                for part in self.hub.parts:
                    part.recorded_anew()
            self.renewed_at = self.hub.loop.time()
        wanted = set(self.hub.subscribers)
        everything = self.hub.loop.time() >= self.looked_at + LOOK
        found = await (in_thread(heads, wanted) if everything else in_thread(recent, 2 * LOOK))
        if everything:
            self.looked_at = self.hub.loop.time()
        for name, head in found.items():
            if name in wanted:
                self.hub.heard(name, head)
        for name in wanted:
            await self.hub.doorbell.join(name)
        for part in self.hub.parts:
            await part.beat()
        for chore in chores:
            if chore not in self.at_work:
                self.hub.spawn(self.do(chore))

    async def do(self, chore: Chore) -> None:
        """One chore's turn: it keeps neither the pulse nor the other chores waiting, however long it takes."""
        self.at_work.add(chore)
        try:
            await in_thread(chore)
        except Exception:
            logger.exception("%s failed", chore.__qualname__)
        finally:
            self.at_work.discard(chore)

    async def keep_alive(self) -> None:
        """Give every page a sign of life from time to time: one that gets none asks (``views.py``)."""
        while True:
            await asyncio.sleep(settings.HEARTBEAT)
            await self.tell_alive()

    async def tell_alive(self) -> None:
        listeners = list(self.hub.listeners)
        for start in range(0, len(listeners), HEARTBEAT_SLICE):
            for listener in listeners[start : start + HEARTBEAT_SLICE]:
                listener.take(heartbeat(listener.language), shared=True)
            await asyncio.sleep(HEARTBEAT_PAUSE)

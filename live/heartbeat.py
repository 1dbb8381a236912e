"""The heartbeat: what a process does again and again, be there news or not.

Its *heartbeat* heals what the doorbell lost, renews the lease and has the periodic tasks done; and every page gets a
sign of life.
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
LOOK = 30  # seconds between two looks at all heads; in between the heartbeat asks for those that moved lately only
HEARTBEAT_SLICE, HEARTBEAT_PAUSE = 100, 0.01  # so many get theirs at once; then others have their turn, so many seconds

Task = Callable[[], object]
periodic_tasks: list[Task] = []


def periodic_task(task: Task) -> Task:
    """Decorator: call ``task()`` in a thread at each heartbeat of each process, unless its last turn is not over there.

    It must bear the company of other processes.
    """
    periodic_tasks.append(task)
    return task


class Heartbeat:
    """Belongs to the ``hub``, and holds the ``lease`` of the process, once there is one."""

    def __init__(self, hub: "Hub", lease: Lease | None) -> None:
        self.hub = hub
        self.lease, self.looked_at = lease, 0.0
        self.renewed_at = hub.loop.time() - RENEWAL  # a lease is as old as the process, which may have waited long
        self.running: set[Task] = set()  # the periodic tasks whose turn is not over

    async def run(self) -> None:
        while True:
            try:
                await self.run_once()
            except Exception:
                logger.exception("the heartbeat failed")
            await asyncio.sleep(settings.LOOK_EVERY)

    async def run_once(self) -> None:
        """Renew the lease, see rings that were lost, join groups that could not be joined, do the periodic tasks."""
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
                self.hub.on_head(name, head)
        for name in wanted:
            await self.hub.doorbell.join(name)
        for part in self.hub.parts:
            await part.on_heartbeat()
        for task in periodic_tasks:
            if task not in self.running:
                self.hub.spawn(self.run_task(task))

    async def run_task(self, task: Task) -> None:
        """One task's turn: neither the heartbeat nor the other tasks wait for it, however long it takes."""
        self.running.add(task)
        try:
            await in_thread(task)
        except Exception:
            logger.exception("%s failed", task.__qualname__)
        finally:
            self.running.discard(task)

    async def keep_alive(self) -> None:
        """Give every page a sign of life from time to time: one that gets none asks (``views.py``)."""
        while True:
            await asyncio.sleep(settings.HEARTBEAT)
            await self.send_heartbeats()

    async def send_heartbeats(self) -> None:
        listeners = list(self.hub.listeners)
        for start in range(0, len(listeners), HEARTBEAT_SLICE):
            for listener in listeners[start : start + HEARTBEAT_SLICE]:
                listener.take(heartbeat(listener.language), shared=True)
            await asyncio.sleep(HEARTBEAT_PAUSE)

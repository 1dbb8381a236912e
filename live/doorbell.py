"""The doorbell: the channel layer, by which processes tell each other that something moved. Only here is it touched."""

import asyncio
import logging
import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from channels.layers import get_channel_layer

if TYPE_CHECKING:
    from live.hub import Hub

logger = logging.getLogger("live")

LAYER_PATIENCE = 5  # seconds to wait for a channel layer that does not answer
PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,90}")
Event = dict[str, Any]


def group(name: str) -> str:
    """The channel layer's group for the stream ``name``; a layer takes no odd characters, and not more than 99."""
    plain = name.replace(":", ".")
    return "live." + (plain if PLAIN.fullmatch(plain) else blake2b(name.encode(), digest_size=20).hexdigest())


class Doorbell:
    """Belongs to the ``hub``, to which it hands what it hears."""

    def __init__(self, hub: "Hub") -> None:
        self.hub = hub
        self.layer: Any = get_channel_layer()
        self.channel: str | None = None  # ours in the layer, once it answers
        self.groups: set[str] = set()  # the streams whose group we joined
        self.rings: dict[str, int] = {}  # name -> head, not yet published
        self.publishing = False

    def publish(self, moved: dict[str, int]) -> None:
        self.rings.update(moved)
        if not self.publishing:
            self.publishing = True
            self.hub.spawn(self._publish())

    async def _publish(self) -> None:
        try:
            while self.rings:
                name, head = self.rings.popitem()
                await self.send(name, {"type": "ring", "name": name, "head": head})
        finally:
            self.publishing = False

    async def send(self, name: str, event: Event) -> None:
        try:
            await asyncio.wait_for(self.layer.group_send(group(name), event), LAYER_PATIENCE)
        except Exception as error:
            logger.warning("%s not announced (%s): the heartbeat will", name, type(error).__name__)

    async def hear(self) -> None:
        while True:
            try:
                self.channel = self.channel or await self.layer.new_channel()
                event = await self.layer.receive(self.channel)
            except Exception as error:
                logger.warning("no channel layer (%s): trying again", type(error).__name__)
                await asyncio.sleep(1)
                continue
            try:
                self.hub.dispatch(event)
            except Exception:  # of another version, or of somebody else's making: the next may be good
                logger.exception("an event was not understood")

    async def join(self, name: str) -> None:
        if name in self.groups or not self.channel:
            return
        try:
            await asyncio.wait_for(self.layer.group_add(group(name), self.channel), LAYER_PATIENCE)
            self.groups.add(name)
        except Exception as error:
            logger.warning("%s is not heard (%s): the heartbeat watches it", name, type(error).__name__)

    async def leave(self, name: str) -> None:
        if name in self.hub.subscribers or name not in self.groups:
            return
        self.groups.discard(name)
        try:
            await asyncio.wait_for(self.layer.group_discard(group(name), self.channel), LAYER_PATIENCE)
        except Exception as error:
            logger.warning("%s is still heard (%s)", name, type(error).__name__)
        if name in self.hub.subscribers:  # somebody came meanwhile
            await self.join(name)

"""How much one page, one person and one address may ask for. ``LIVE["LIMITED"] = False`` lifts it all."""

import time
from collections import Counter

from live import metrics
from live.address import rate_key
from live.conf import settings

HANDSHAKES = 100  # new sockets a second, in one process
OF_A_PERSON, OF_AN_ADDRESS = 20, 100  # sockets open at once, in one process
BURST, REFILL = 40, 4  # messages at once, and so many more each second
# What a page may have told anew, of streams that it was told of already: at once, and more each second. To be told of a
# stream is one, and so is each piece of that many characters; but no text is more than so many: pages may be long.
AGAIN, AGAIN_REFILL, AGAIN_LENGTH, AGAIN_MOST = 60, 4, 4096, 30


class TokenBucket:
    """So many (``burst``) at once, and ``refill`` more each second."""

    def __init__(self, burst: float, refill: float) -> None:
        self.left = self.burst = burst
        self.refill = refill
        self.asked_at = 0.0

    def consume(self, now: float) -> bool:
        """Take one at the time ``now`` (seconds). → whether there was one

        What was ``left`` may be less than nothing: somebody took more, whose cost was known only afterwards.
        """
        self.left = min(self.burst, self.left + (now - self.asked_at) * self.refill)
        self.asked_at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


handshake_limit = TokenBucket(burst=HANDSHAKES * 2, refill=HANDSHAKES)
sockets: Counter[str] = Counter()  # open ones, by person ("person 7") and by address ("address 10.0.0.1")


def is_storm() -> bool:
    """Whether more sockets are asked for at once than can be served well; this counts as one."""
    return settings.LIMITED and not handshake_limit.consume(time.monotonic())


class Limits:
    """Those of one socket. Each question counts as once."""

    def __init__(self) -> None:
        self.bucket, self.anew = TokenBucket(BURST, REFILL), TokenBucket(AGAIN, AGAIN_REFILL)
        self.counted_as: list[str] = []  # the keys of this socket in ``sockets``

    def of_address(self, address: str) -> bool:
        """Whether too many sockets of the same ``address`` (str, empty if it is not known) are open."""
        return bool(address) and self.count("address " + rate_key(address), OF_AN_ADDRESS)

    def of_person(self, user_id: str) -> bool:
        """Whether too many sockets of the person ``user_id`` (str) are open."""
        return self.count("person " + user_id, OF_A_PERSON)

    def count(self, name: str, most: int) -> bool:
        self.counted_as.append(name)
        sockets[name] += 1
        return settings.LIMITED and sockets[name] > most

    def leave(self) -> None:
        for name in self.counted_as:
            sockets[name] -= 1
            if not sockets[name]:
                del sockets[name]

    def message(self) -> bool:
        """Whether the page says too much."""
        return self.consume(self.bucket)

    def again(self) -> bool:
        """Whether the page has itself told anew too often."""
        return self.consume(self.anew)

    def told_again(self, length: int) -> None:
        """So many characters were told anew, which is known only afterwards."""
        self.anew.left -= min(length / AGAIN_LENGTH, AGAIN_MOST)

    def consume(self, bucket: TokenBucket) -> bool:
        if not settings.LIMITED or bucket.consume(time.monotonic()):
            return False
        metrics.REFUSED.labels("flood").inc()
        return True

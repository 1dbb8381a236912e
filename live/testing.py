"""For tests: a page without a browser, which hears what a page would be told; and what waits and measures."""

import json
import re
import time
from collections.abc import Callable, Sized
from contextlib import ExitStack
from html import unescape
from typing import Any, TypeVar
from urllib.request import Request, urlopen

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

PATIENCE = 300  # seconds to wait for what should come: a guard against hanging, on however busy a machine
AGAIN = {"HX-Request": "false"}  # how a page asks for itself again: htmx asks, for a page

T = TypeVar("T")


def until(state: Callable[[], T], what: str = "it") -> T:
    """Wait until ``state()`` is true, as long as it takes. → what it returned

    Raises ``TimeoutError`` that names ``what`` (str) if it never is.
    """
    deadline = time.monotonic() + PATIENCE
    while not (reached := state()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come to be")
        time.sleep(0.01)
    return reached


def cost(work: Callable[..., object], *arguments: object) -> float:
    """How much of the processor's time (float, seconds) this thread spends on ``work(*arguments)``."""
    began = time.thread_time()
    work(*arguments)
    return time.thread_time() - began


def grows_as_its_input(work: Callable[[Any], object], small: Sized, large: Sized) -> bool:
    """Whether ``work(large)`` costs about as much more than ``work(small)`` as it is longer, not the square of that.

    The arguments have lengths. What a busy machine adds to the one or to the other is allowed for.
    """
    most = 4 * len(large) / len(small) * min(cost(work, small) for _ in range(3)) + 0.1
    return any(cost(work, large) <= most for _ in range(3))


def read_form(html: str) -> dict[str, str]:
    """What the page ``html`` says when its socket opens: dict of str."""
    live = html[html.index('<div id="live"') :].partition("</form>")[0]
    inputs = re.findall(r'<input type="hidden" (?:id="[^"]*" )?name="([^"]*)" value="([^"]*)"', live)
    return {unescape(name): unescape(value) for name, value in inputs}


def read_cursors(frame: str) -> dict[str, str]:
    """The cursors that ``frame`` (str), which a socket was sent, brings along: dict of str."""
    return dict(re.findall(r'name="([\w.]+:[^"]+)" value="(\d+)"', frame))


def must_ask_again(frame: str) -> bool:
    """Whether ``frame`` tells a page that it missed too much, and is to ask for itself again."""
    return 'id="again"' in frame


class Page:
    """The page at ``url`` (str) of a running site, ``cookie`` (str, ``name=value``) being the reader's.

    Loading reads the form of ``{% live %}``; ``connect`` opens the socket and sends it, as htmx does.
    ``text`` is all that was heard, ``closed`` the code with which the socket was closed, if it was.
    """

    def __init__(self, url: str, cookie: str = "", language: str = "en") -> None:
        self.site = re.findall(r"^https?://[^/]+", url)[0]
        self.path = url.removeprefix(self.site)
        self.headers = {"Cookie": cookie, "Accept-Language": language}
        self.html = urlopen(Request(url, headers=self.headers)).read().decode()
        self.form = read_form(self.html)
        self.text, self.stack = "", ExitStack()
        self.closed: int | None = None

    def connect(self, origin: str | None = None, subscribe: bool = True) -> "Page":
        """Open the socket, and say what the page shows unless ``subscribe`` is False. → self"""
        address = self.site.replace("http", "ws", 1) + "/ws/"
        origin = origin or self.site
        unbounded: dict[str, Any] = {"compression": None, "max_size": None, "max_queue": None, "close_timeout": 1}
        unbounded |= {"open_timeout": PATIENCE, "ping_interval": None}
        line = connect(address, origin=Origin(origin), additional_headers=self.headers, **unbounded)
        self.socket = self.stack.enter_context(line)
        self.closed = None
        if subscribe:
            self.send(self.form)
        return self

    def send(self, message: dict[str, str] | str | bytes) -> None:
        """Send ``message``: a dict as JSON, str and bytes as they are."""
        self.socket.send(json.dumps(message) if isinstance(message, dict) else message)

    def hear(self, text: str, within: float = PATIENCE) -> str:
        """Listen until ``text`` (str) was told. Moves the cursors as a page does. → all that was told so far.

        Raises ``TimeoutError`` if it is not told ``within`` so many seconds, or the socket closes first. Only what
        measures says another ``within``: that nothing comes is known when something comes that was sent later.
        """
        deadline = time.monotonic() + within
        while text not in self.text:
            frame = self.next(deadline - time.monotonic())
            if frame is None:
                raise TimeoutError(f"{text!r} was not told, but: {self.text[-2000:]!r} (closed: {self.closed})")
        return self.text

    def next(self, within: float = PATIENCE) -> str | None:
        """The next frame (str), or None if none comes ``within`` so many seconds or the socket closes."""
        try:
            frame = str(self.socket.recv(timeout=max(0, within)))
        except TimeoutError:
            return None
        except ConnectionClosed as closed:
            self.closed = closed.rcvd.code if closed.rcvd else 1006
            return None
        self.text += frame
        self.form |= read_cursors(frame)
        if must_ask_again(frame):
            self.ask()
        return frame

    def ask(self) -> None:
        """Ask for the page again, for it missed too much, and say what it shows now. It is told what came meanwhile."""
        self.html = urlopen(Request(self.site + self.path, headers=self.headers | AGAIN)).read().decode()
        self.text += self.html
        self.form |= read_form(self.html)
        self.send(self.form)

    def hear_close(self, within: float = PATIENCE) -> int | None:
        """Listen until the socket is closed. → the code (int), or None if it stays open."""
        deadline = time.monotonic() + within
        while self.closed is None and time.monotonic() < deadline:
            self.next(deadline - time.monotonic())
        return self.closed

    def close(self) -> None:
        self.stack.close()

    def __enter__(self) -> "Page":
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

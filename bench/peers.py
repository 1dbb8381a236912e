"""Those that are measured: Parley, and others who tell many sockets the same text.

Each is one process of ours on a free port of this machine. ``hellos()`` says what sockets bring along,
``publish(marker)`` tells them all one text that contains ``marker``, by one HTTP POST.
"""

import json
import shutil
import signal
import sys
import tempfile
import time
from functools import cached_property
from pathlib import Path
from urllib.request import Request, urlopen

from bench import seed
from harness.hand import Hand
from harness.servers import BASE, Server, environment
from harness.site import Site
from live.testing import Page

HERE = BASE / "bench"
CACHE = HERE / ".cache"
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
SETTLED = 1.5  # seconds after which a server has written and told who came


class Absent(Exception):
    """A peer that is not installed on this machine; says what is missing."""


class Parley(Site):
    """Parley with one ``post``, of which so many ``comments`` (int) stand there already.

    Given the ``post`` (Post), nothing is made: the database holds it.
    """

    path = "/ws/"
    stop_signal = signal.SIGKILL  # it is not asked to say goodbye

    def __init__(self, title, server="uvicorn", *, comments=0, post=None, **options):
        self.kept = tempfile.TemporaryDirectory(prefix="parley-bench-")
        super().__init__(self.kept.name, server=server, **{"SPREAD": "0", "RATES": "off"} | options)
        self.title = title
        [self.author] = [post.author] if post else seed.people(self, 1)
        [self.post] = [post] if post else seed.posts(self, self.author, 1)
        seed.comments(self, self.author, self.post, comments)

    @property
    def page(self):
        return f"{self.url}/posts/{self.post.slug}/"

    @cached_property
    def hand(self):
        return Hand(self, self.author, self.post)

    def publish(self, marker):
        self.hand.address = f"{self.page}comments/"
        self.hand.write(f"{marker} {seed.WORDS}")

    def hellos(self):
        return [("", json.dumps(Page(self.page).form))]

    def __exit__(self, *failure):
        if any(failure):
            print(self.log[-5000:], file=sys.stderr)
        super().__exit__(*failure)
        self.kept.cleanup()


class Peer(Server):
    """Somebody else. ``text`` (str) is what is told, with ``MARK`` in the place of the marker."""

    path = "/"
    text = "MARK"

    def __init__(self, title):
        self.kept = tempfile.TemporaryDirectory(prefix="parley-bench-")
        super().__init__(self.kept.name)
        self.title = title

    def hellos(self):
        return [("", "")]

    def publish(self, marker):
        self.post(self.text.replace("MARK", marker))

    def post(self, text):
        with urlopen(Request(f"http://127.0.0.1:{self.port}/publish", text.encode())) as answer:
            answer.read()

    def answers(self):
        try:
            self.post("-")
        except OSError:
            return False
        return True

    def __exit__(self, *failure):
        super().__exit__(*failure)
        self.kept.cleanup()


class Limit(Peer):
    @property
    def command(self):
        return [CACHE / "limit", self.port]


class Node(Peer):
    @property
    def command(self):
        if not shutil.which("node"):
            raise Absent("node is not installed")
        if not (CACHE / "node_modules/ws").exists():
            raise Absent("the npm package ws could not be installed")
        self.options = {"cwd": CACHE}
        return [shutil.which("node"), HERE / "ws.js", self.port]


class Nginx(Peer):
    """nginx with ``directives`` (str) inside of its server block, in one worker process."""

    directives = ""

    @property
    def command(self):
        if not (nginx := shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")):
            raise Absent("nginx is not installed")
        settings = (HERE / "nginx.conf").read_text().replace("PORT", str(self.port))
        settings = settings.replace("MODULES", f"load_module {NCHAN};" if NCHAN.exists() else "")
        (self.folder / "nginx.conf").write_text(settings.replace("DIRECTIVES", self.directives))
        return [nginx, "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", self.folder / "error.log"]


class Nchan(Nginx):
    directives = """
        location = / { nchan_subscriber websocket; nchan_channel_id bench; nchan_subscriber_first_message newest; }
        location = /publish { nchan_publisher; nchan_channel_id bench; nchan_message_buffer_length 1; }
    """

    @property
    def command(self):
        if not NCHAN.exists():
            raise Absent("nginx's module nchan is not installed")
        return super().command


class Tutorial(Peer):
    """Channels as its tutorial has it (``tutorial.py``), on daphne with bin/daphne's options."""

    path = "/ws/"
    stop_signal = signal.SIGKILL

    @property
    def command(self):
        self.options = {
            "cwd": BASE,
            "env": environment(VAR=self.folder, DJANGO_SETTINGS_MODULE="parley.settings"),
        }
        place = ["-b", "127.0.0.1", "-p", self.port, "--no-server-name"]
        pings = ["--ping-interval", "10", "--ping-timeout", "10", "--websocket_timeout", "-1"]
        return [BASE / ".venv/bin/python", "-m", "daphne", *place, *pings, "bench.tutorial:application"]


class Once(Tutorial):
    """The same, but the text is rendered before it is sent to the group."""

    def publish(self, marker):
        self.post(json.dumps({"text": Peer.text.replace("MARK", marker)}))


def fragment(site):
    """What ``site`` (Parley) tells a page of one text (str), with ``MARK`` in the place of the marker."""
    with site, Page(site.page).connect() as page:
        marker = f"bench-{time.monotonic_ns()}"
        site.publish(marker)
        page.hear(marker)
        frame = page.text[page.text.index("<hx-upsert") :]
    return frame.replace(marker, "MARK")

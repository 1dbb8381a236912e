"""Parley itself as a private server, and a line to it that can be cut."""

import asyncio
import json
import random
import shutil
import tempfile
import threading
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from http.client import HTTPConnection, HTTPException
from importlib import import_module
from pathlib import Path
from urllib.request import urlopen

import dj_database_url
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import connections
from django.db.utils import load_backend

from harness.servers import BASE, Server, environment, free_port, manage
from live.testing import PATIENCE

READY = "/static/js/htmx-ws.js"  # a site that answers this is up
HOSTS = ("127.0.0.1", "localhost")
HASTE = {"SPREAD": 0, "LOOK_EVERY": 0.5}  # what nobody waits for but where it is measured, or is what a test is about


@cache
def furnished():
    """A folder (Path) for ``VAR``: an embedded database with empty tables, and the static files.

    Made once, to be copied for each site.
    """
    folder = tempfile.TemporaryDirectory(prefix="parley-var-")
    furnished.kept = folder  # until this process ends
    manage("migrate", "--verbosity", "0", VAR=folder.name)
    manage("collectstatic", "--no-input", "--verbosity", "0", VAR=folder.name)
    return Path(folder.name)


class Site(Server):
    """A Parley: a process of its own at ``url``, which keeps its files in the folder ``var``.

    Its database is the embedded one in ``var``, or that of ``database_url`` (str), whose tables must be
    there. ``server`` is the script in ``bin/`` that runs it: "serve" sets up first.
    ``env`` holds further variables of its environment, ``changed`` (dict) settings that differ from Parley's; unless
    they say otherwise nobody waits for review, or for having been too fast. Sites may share ``var``, database and
    Redis; all know the same SECRET_KEY, which is that of the tests.
    """

    unblock = nullcontext  # the tests' way to permit themselves a database

    def __init__(self, var, database_url=None, redis_url=None, server="daphne", changed=None, **env):
        super().__init__(var)
        self.detour = free_port()  # where a Relay may stand in front of it
        self.server = server
        self.database_url = database_url or f"sqlite:///{self.folder / 'parley.sqlite3'}"
        origins = [f"http://{host}:{port}" for port in (self.port, self.detour) for host in HOSTS]
        self.options = {
            "env": environment(
                **{"HOST": "127.0.0.1", "PORT": self.port, "VAR": self.folder}
                | {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
                | {"ORIGINS": ",".join(origins), "ALLOWED_HOSTS": ",".join(HOSTS)}
                | {"REVIEW": "off", "RATES": "sockets"}
                | ({"DJANGO_SETTINGS_MODULE": "harness.settings", "SETTINGS": json.dumps(changed)} if changed else {})
                | env
            )
        }
        if server != "serve":
            self.furnish(embedded=not database_url)

    def furnish(self, embedded):
        static, database = self.folder / "static", self.folder / "parley.sqlite3"
        if not static.exists():
            static.symlink_to(furnished() / "static")
        if embedded and not database.exists():
            shutil.copy(furnished() / "parley.sqlite3", database)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def command(self):
        return [BASE / "bin" / self.server]

    def answers(self):
        with suppress(OSError, HTTPException):
            line = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            line.request("GET", READY)
            return line.getresponse().status == 200

    @contextmanager
    def orm(self):
        """Within, this thread's models are those of the site's database.

        Nothing is wrapped in a transaction: what is written is heard as if another process had done it.
        """
        ours = connections["default"]
        database = ours.settings_dict | dj_database_url.parse(self.database_url) | {"OPTIONS": {}}
        if database["ENGINE"].endswith("sqlite3"):
            database |= {"ENGINE": "parley.sqlite3", "OPTIONS": settings.SQLITE}
        theirs = load_backend(database["ENGINE"]).DatabaseWrapper(database, "default")
        connections["default"] = theirs
        ContentType.objects.clear_cache()
        try:
            with self.unblock():
                yield
        finally:
            theirs.close()
            connections["default"] = ours
            ContentType.objects.clear_cache()

    def account(self, username, **fields):
        """Create the person ``username`` with ``fields`` and without a password, unless it is among them."""
        with self.orm():
            return get_user_model().objects.create_user(username, **{"email": f"{username}@parley.example"} | fields)

    def session(self, person):
        """Log ``person`` in; returns the cookie (dict, as Playwright's ``add_cookies`` takes it)."""
        with self.orm():
            store = import_module(settings.SESSION_ENGINE).SessionStore()
            store[SESSION_KEY] = str(person.pk)
            store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
            store[HASH_SESSION_KEY] = person.get_session_auth_hash()
            store.create()
            UserSession.objects.create(user=person, session_key=store.session_key, ip="127.0.0.1")
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": store.session_key}
        return cookie | {"domain": "127.0.0.1", "path": "/", "httpOnly": True, "sameSite": "Lax"}

    def cookie(self, person):
        """Log ``person`` in; returns the cookie as a request sends it (str)."""
        session = self.session(person)
        return f"{session['name']}={session['value']}"

    def metric(self, name):
        """What the site's metrics say of ``name`` (str, with its labels): a float, 0 if it is not among them."""
        with urlopen(f"{self.url}/metrics", timeout=PATIENCE) as answer:
            values = dict(line.rpartition(" ")[::2] for line in answer.read().decode().splitlines())
        return float(values.get(name, 0))


class Relay:
    """A line to a ``site`` (Site) that can be cut: pages opened at its ``url`` are the site's."""

    def __init__(self, site):
        self.site = site
        self.url = f"http://127.0.0.1:{site.detour}"
        self.session = site.session
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.listener = None
        self.flowing = asyncio.Event()
        self.calls = {}  # task -> the writers of its two ends
        self.sockets = set()  # the calls that are WebSockets
        self.swallowed = set()  # the calls of which nothing arrives any more
        self.refusing = False

    def __enter__(self):
        self.thread.start()
        self.mend()
        return self

    def __exit__(self, *failure):
        self.cut()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def cut(self):
        """Break all connections and refuse new ones, as a server that is gone does."""
        self.run(self._cut())

    def snip(self):
        """Break one connection, whichever; new ones are welcome."""
        self.run(self._snip())

    def stall(self):
        """Keep all connections and accept new ones, but let nothing pass, as a lost network does."""
        self.loop.call_soon_threadsafe(self.flowing.clear)

    def swallow(self):
        """Let nothing of the open sockets arrive any more, in silence; all else passes, new sockets too."""
        self.loop.call_soon_threadsafe(lambda: self.swallowed.update(self.sockets))

    def refuse_sockets(self):
        """Break all sockets and refuse new ones, as a proxy does that knows none; all else passes."""
        self.run(self._refuse_sockets())

    def mend(self):
        """Undo ``cut`` and ``stall``; what was held back by a stall arrives."""
        self.run(self._mend())

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE)

    async def _mend(self):
        self.flowing.set()
        if not self.listener:
            self.listener = await asyncio.start_server(self.carry, "127.0.0.1", self.site.detour)

    async def _cut(self):
        if self.listener:
            self.listener.close()
            self.listener = None
        for call, writers in list(self.calls.items()):
            for writer in writers:
                writer.transport.abort()
            call.cancel()
        while self.calls:
            await asyncio.sleep(0)

    async def _snip(self):
        if self.calls:
            for writer in random.choice(list(self.calls.values())):
                writer.transport.abort()

    async def _refuse_sockets(self):
        self.refusing = True
        for call in self.sockets:
            for writer in self.calls[call]:
                writer.transport.abort()

    async def carry(self, reader, writer):
        if not self.listener:  # cut while this one came in
            return writer.transport.abort()
        call = asyncio.current_task()
        writers = self.calls[call] = [writer]
        with suppress(OSError, asyncio.CancelledError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.site.port)
            writers.append(far_writer)
            request = await reader.read(65536)  # a browser opens a line of its own for a socket
            if b"upgrade: websocket" in request.lower():
                self.sockets.add(call)
                if self.refusing:
                    writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    request = b""
                    reader.feed_eof()
            await self.flowing.wait()
            far_writer.write(request)
            await asyncio.gather(self.pump(call, reader, far_writer), self.pump(call, far_reader, writer))
        for end in writers:
            end.close()
        del self.calls[call]
        self.sockets.discard(call)
        self.swallowed.discard(call)

    async def pump(self, call, reader, writer):
        while data := await reader.read(65536):
            await self.flowing.wait()
            if call in self.swallowed:
                continue
            writer.write(data)
            await writer.drain()
        writer.close()

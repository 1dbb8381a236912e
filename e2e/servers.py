"""Private real servers for the tests: Redis, PostgreSQL, Parley itself, and a line between that can be cut.

Each is a process that this one started, on a port of its own, and each is a context manager: started at its
beginning, stopped at its end. Whatever is waited for is a state.
"""

import asyncio
import json
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager, nullcontext, suppress
from functools import cache, cached_property
from glob import glob
from http.client import HTTPConnection, HTTPException
from importlib import import_module
from pathlib import Path

import dj_database_url
import psycopg
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import connections
from django.db.utils import load_backend

from live.testing import PATIENCE, until

BASE = settings.BASE_DIR
READY = "/static/js/htmx-ws.js"  # a site that answers this is up
HOSTS = ("127.0.0.1", "localhost")
used_ports = set()


def free_port():
    """A TCP port (int) of 127.0.0.1 that nobody listens on and that was not given out before.

    It lies below those that systems lend to outgoing connections (from 32768), so that none of these takes
    it while its server is down; and each process of a test run that has several has ports of its own.
    """
    first = 20_000 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 6 * 2000
    while True:
        port = random.randrange(first, first + 2000)
        with suppress(OSError), socket.socket() as one:
            one.bind(("127.0.0.1", port))
            if port not in used_ports:
                used_ports.add(port)
                return port


def program(name):
    """The path (str) of the program ``name``; raises ``FileNotFoundError`` with the way out."""
    folders = [os.environ["PATH"], *glob("/usr/lib/postgresql/*/bin"), *glob("/usr/pgsql-*/bin")]
    if path := shutil.which(name, path=os.pathsep.join(folders)):
        return path
    raise FileNotFoundError(f"The program {name} is not installed; bin/test installs it.")


def manage(*arguments, **env):
    """Run ``manage.py`` with ``arguments`` in the environment ``env``; raises ``RuntimeError`` if it fails."""
    command = [BASE / ".venv/bin/python", BASE / "manage.py", *arguments]
    run(command, env=environment(**env))


def run(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout}")


def environment(**env):
    """The environment of a Parley process: ``env`` (None: not set) and nothing that decides otherwise."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    given = {name: str(value) for name, value in env.items() if value is not None}
    return kept | {"SECRET_KEY": settings.SECRET_KEY, "PYTHONUNBUFFERED": "1"} | given


class Server:
    """A process with a ``port`` (int), and ``folder`` (Path) for its files, its ``log`` among them.

    Subclasses say the ``command`` (list), the ``options`` of its Popen and whether it ``answers()``.
    """

    options = {}
    stop_signal = signal.SIGTERM

    def __init__(self, folder):
        self.folder = Path(folder)
        self.port = free_port()
        self.process = None

    @property
    def log(self):
        """What it said so far (str)."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    @property
    def log_file(self):
        return self.folder / f"{type(self).__name__.lower()}-{self.port}.log"

    def start(self):
        """Start it, at the same port as before, and wait until it answers."""
        self.launch()
        self.wait()

    def launch(self):
        """Start it without waiting."""
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C is ours to hear; we stop it in our teardown
                **self.options,
            )

    def wait(self):
        """Wait until it answers; raises ``RuntimeError`` with its log if it does not."""
        try:
            answered = False
            with suppress(TimeoutError):
                answered = until(lambda: self.answers() or not self.running) and self.running
            if not answered:
                raise RuntimeError(f"{type(self).__name__} does not answer. Its log:\n{self.log}")
        except BaseException:  # a Ctrl-C, too
            self.stop()
            raise

    def stop(self):
        """End it as its manual says, and wait until it is gone. Returns its exit code."""
        return self.end(self.stop_signal)

    def kill(self):
        """End it at once, as a crash would."""
        return self.end(signal.SIGKILL)

    def end(self, number):
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"{type(self).__name__} did not end. Its log:\n{self.log}") from None

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *failure):
        if self.running:
            self.stop()


class Redis(Server):
    """A Redis that keeps nothing; ``url`` (str) is its address."""

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def command(self):
        place = ["--port", self.port, "--bind", "127.0.0.1", "--dir", self.folder]
        return [program("redis-server"), *place, "--save", "", "--appendonly", "no"]

    def answers(self):
        return self.ask("PING") == "+PONG"

    def clear(self):
        """Forget everything, so that the next test starts anew."""
        assert self.ask("FLUSHALL") == "+OK"

    def ask(self, command):
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), PATIENCE) as one:
            one.sendall(f"{command}\r\n".encode())
            return one.recv(100).decode().strip()


class Postgres(Server):
    """A PostgreSQL cluster that trusts everybody on this machine and would not survive a power cut."""

    stop_signal = signal.SIGINT  # "fast": ends the connections of others too

    def __init__(self):
        # Not below pytest's folders: these are root's alone, and PostgreSQL refuses to run as root.
        super().__init__(tempfile.mkdtemp(prefix="parley-postgres-"))
        self.options = {"cwd": self.folder}
        if os.geteuid() == 0:
            user = pwd.getpwnam("nobody")
            self.options |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.data = self.folder / "data"
        init = [program("initdb"), "--pgdata", self.data, "--username", "parley", "--auth", "trust"]
        run([*init, "--encoding", "UTF8", "--locale", "C", "--no-sync"], **self.options)

    @property
    def command(self):
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [Path(program("initdb")).with_name("postgres"), "-D", self.data, *words]

    def url(self, database):
        return f"postgres://parley@127.0.0.1:{self.port}/{database}"

    def answers(self):
        with suppress(psycopg.OperationalError), self.connect():
            return True

    def connect(self):
        return psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=PATIENCE)

    def create(self, database, template="template1"):
        """Create the ``database`` (str), a copy of ``template``; returns its address (str)."""
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    @contextmanager
    def migrated(self):
        """Within, there is a new database with Parley's empty tables; gives its address (str)."""
        database = f"parley_{time.time_ns()}"
        yield self.create(database, template=self.template)
        if not self.running:
            return
        with self.connect() as connection:
            connection.execute(f'DROP DATABASE "{database}" WITH (FORCE)')

    @cached_property
    def template(self):
        manage("migrate", "--verbosity", "0", VAR=self.folder, DATABASE_URL=self.create("migrated"))
        return "migrated"

    def kill(self):
        return self.end(signal.SIGQUIT)  # a crash, but one that takes the processes of its connections along

    def restart(self):
        self.stop()
        self.start()

    def __exit__(self, *failure):
        super().__exit__(*failure)
        shutil.rmtree(self.folder)


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
                | ({"DJANGO_SETTINGS_MODULE": "e2e.settings", "SETTINGS": json.dumps(changed)} if changed else {})
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
        self.do(self._cut())

    def snip(self):
        """Break one connection, whichever; new ones are welcome."""
        self.do(self._snip())

    def stall(self):
        """Keep all connections and accept new ones, but let nothing pass, as a lost network does."""
        self.loop.call_soon_threadsafe(self.flowing.clear)

    def swallow(self):
        """Let nothing of the open sockets arrive any more, in silence; all else passes, new sockets too."""
        self.loop.call_soon_threadsafe(lambda: self.swallowed.update(self.sockets))

    def refuse_sockets(self):
        """Break all sockets and refuse new ones, as a proxy does that knows none; all else passes."""
        self.do(self._refuse_sockets())

    def mend(self):
        """Undo ``cut`` and ``stall``; what was held back by a stall arrives."""
        self.do(self._mend())

    def do(self, coroutine):
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

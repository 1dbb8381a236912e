"""Private real servers: each is a process that this one started, on a port of its own, and a context manager.

It is started at the beginning and stopped at the end. Whatever is waited for is a state.
"""

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from functools import cached_property
from glob import glob
from pathlib import Path

import psycopg
from django.conf import settings

from harness import processes
from live.testing import PATIENCE, until

BASE = settings.BASE_DIR
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


def run(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout}")


def environment(**env):
    """The environment of a Parley process: ``env`` (None: not set) and nothing that decides otherwise."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    overrides = {name: str(value) for name, value in env.items() if value is not None}
    return kept | {"SECRET_KEY": settings.SECRET_KEY, "PYTHONUNBUFFERED": "1"} | overrides


def manage(*arguments, **env):
    """Run ``manage.py`` with ``arguments`` in the environment ``env``; raises ``RuntimeError`` if it fails."""
    command = [BASE / ".venv/bin/python", BASE / "manage.py", *arguments]
    run(command, env=environment(**env))


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

    @property
    def cpu(self):
        """How many seconds it has worked (float)."""
        return processes.cpu(self.process.pid)

    @property
    def megabytes(self):
        """How much memory it has (float)."""
        return processes.memory(self.process.pid) / 1024 / 1024

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

"""The engine as a package, in a project that never saw this one (``stranger/``).

Its people have UUIDs, its sessions live in a cache, and it has a consumer of its own. Of what is installed here its
environment gets Django, Channels, uvicorn and what these need, and nothing of our extras; ``--stress`` lets pip find
all of them.
"""

import os
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.request import HTTPCookieProcessor, Request, build_opener, urlopen

import pytest
from websockets.sync.client import connect

from live.testing import PATIENCE, Page, until

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(sys.prefix) / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
NEEDED = ["django", "channels", "asgiref", "sqlparse", "uvicorn", "h11", "click", "websockets", "typing_extensions.py"]


def pip(*arguments):
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=PATIENCE)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, "./live")
    [wheel] = folder.iterdir()
    return wheel


@pytest.fixture(params=["what is here", pytest.param("what pip finds", marks=pytest.mark.stress)])
def python(request, wheel, tmp_path):
    """The Python (Path) of a fresh environment in which the package is installed."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    python = venv / "bin/python"
    if request.param == "what is here":
        for name in NEEDED:
            (venv / HERE.relative_to(sys.prefix) / name).symlink_to(HERE / name)
        pip("--python", python, "install", "--no-deps", wheel)
    else:
        pip("--python", python, "install", f"{wheel}[uvicorn]")
    return python


@pytest.fixture
def project(python, tmp_path):
    """A project in a folder of its own. → ``run(*command)``: the process of its Python with these arguments"""
    folder = tmp_path / "project"
    shutil.copytree(Path(__file__).parent / "stranger", folder)
    surroundings = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "stranger_settings"}

    def run(*command):
        return subprocess.Popen([python, *command], cwd=folder, env=surroundings)

    assert run("-m", "django", "migrate", "--verbosity", "0", "--run-syncdb", "--pythonpath", ".").wait(PATIENCE) == 0
    assert run("-m", "django", "check", "--pythonpath", ".").wait(PATIENCE) == 0
    return run


@contextmanager
def served(project):
    """The project's address (str), while a server of its own runs there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = project("-m", "uvicorn", "stranger_asgi:application", "--port", str(port), "--log-level", "warning")

    def listens():
        assert server.poll() is None, "the server has ended"
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", port)) == 0

    try:
        until(listens, "the server")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(PATIENCE)


def enter(site, name):
    """Sign in as ``name`` (str). → the session's cookie (str)"""
    browser = HTTPCookieProcessor()
    build_opener(browser).open(f"{site}/enter/{name}/", data=b"").read()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookiejar)


def post(url, text, cookie):
    urlopen(Request(url, data=f"text={text}".encode(), headers={"Cookie": cookie})).read()


def test_a_page_of_somebody_elses_project_becomes_live(project):
    with served(project) as site:
        alice, bob = enter(site, "alice"), enter(site, "bob")
        notes = f"{site}/notes/"
        with Page(notes, alice) as page:
            page.connect()
            post(notes, "first", bob)
            page.hear('<p id="note-1" data-key="1">bob: first</p>')
            page.close()
            post(notes, "second", bob)
            post(notes, "third", bob)
            page.connect()
            told = page.hear("bob: third")
            assert "bob: second" in told and told.count("bob: first") == 1
            script = urlopen(f"{site}/static/live/htmx-ws.js").read()
            assert script == (ROOT / "static/js/htmx-ws.js").read_bytes() and "live/htmx-ws.js" in page.html

            address = site.replace("http", "ws")
            with connect(f"{address}/ws/echo/", origin=site, additional_headers={"Cookie": alice}) as own:
                own.send("hello")
                assert own.recv(PATIENCE) == "alice says hello"

            enter(site, "alice/leave")
            post(notes, "not for her", bob)
            page.hear("You may not read on.")
            assert "not for her" not in page.text

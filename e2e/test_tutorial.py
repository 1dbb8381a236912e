"""docs/tutorial.md, followed to the letter: in an empty folder, a fresh environment and two real browsers."""

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from harness.servers import BASE, free_port
from live.testing import PATIENCE, until

TUTORIAL = BASE / "docs/tutorial.md"
STEP = re.compile(r"(?:(Put this into|Add to the end of) `([^`]+)`:\n\n)?```(\w+)\n(.*?)\n```", re.DOTALL)
OF_THE_POLL = ("polls/streams.py", "polls/views.py", "polls/urls.py")


def steps():
    """The code of the tutorial, in its order: (what to do with it, file, language, code), all str."""
    return [step.groups() for step in STEP.finditer(TUTORIAL.read_text())]


@pytest.fixture
def project(tmp_path):
    """A folder in which one follows the tutorial. → ``run(command)``: its process in that folder's environment"""
    folder = tmp_path / "project"
    folder.mkdir()
    pinned = tmp_path / "pinned.txt"  # the versions that all other tests are about; pip takes no extras here
    pinned.write_text(re.sub(r"\[.*?\]", "", (BASE / "requirements.txt").read_text()))
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    surroundings |= {
        "PATH": f"{folder / '.venv/bin'}{os.pathsep}{os.environ['PATH']}",
        "PIP_CONSTRAINT": str(pinned),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONUNBUFFERED": "1",
    }
    surroundings.pop("VIRTUAL_ENV", None)

    def run(command):
        command = command.replace("/path/to/parley", str(BASE)).replace("python3 -m venv", f"{sys.executable} -m venv")
        return subprocess.Popen(command, shell=True, cwd=folder, env=surroundings, start_new_session=True)

    run.folder = folder
    return run


@contextmanager
def served(project, port):
    server = project(f"exec python manage.py runserver --noreload {port}")

    def answers():
        assert server.poll() is None, "the server has ended"
        try:
            return urlopen(f"http://127.0.0.1:{port}/polls/1/")
        except OSError:
            return None

    try:
        until(answers, "the server")
        yield
    finally:
        server.terminate()
        server.wait(PATIENCE)


def test_the_author_writes_at_most_twenty_lines_of_python():
    code = "\n".join(code for _, file, _, code in steps() if file in OF_THE_POLL)
    lines = [line for line in code.splitlines() if line.strip() and not re.match("from|import", line)]
    assert 10 < len(lines) <= 20


def test_who_follows_the_tutorial_votes_in_two_browsers_and_misses_nothing(project, browser):
    commands = []
    for what, file, language, code in steps():
        if language == "sh":
            commands += [code] if "\n    " in code else code.splitlines()
            if "startproject" not in code:
                continue
            for command in commands:
                assert project(command).wait() == 0, command
            commands = []
        else:
            path = project.folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            before = path.read_text() if what == "Add to the end of" else ""
            path.write_text(f"{before}\n{code}\n")
    *prepare, serve, vote = commands
    assert serve == "python manage.py runserver"
    for command in prepare:
        assert project(command).wait() == 0, command

    port = free_port()
    with served(project, port):
        contexts = [browser.new_context() for _ in range(2)]
        alice, bob = (context.new_page() for context in contexts)
        for page in (alice, bob):
            page.goto(f"http://127.0.0.1:{port}/polls/1/")
        alice.locator("#vote-1").click()
        bob.locator("#vote-2").click()
        for page in (alice, bob):
            expect(page.locator("#option-1")).to_contain_text("Tea: 1")
            expect(page.locator("#option-2")).to_contain_text("Coffee: 1")
    assert project(vote).wait() == 0
    with served(project, port):
        for page in (alice, bob):
            expect(page.locator("#option-1")).to_contain_text("Tea: 41")
            expect(page.locator("#option-2")).to_contain_text("Coffee: 1")
    for context in contexts:
        context.close()

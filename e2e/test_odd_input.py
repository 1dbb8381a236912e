"""Whatever strangers send, no view falls over it and no log fills with it: on both databases, and on both servers."""

import logging
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from io import StringIO
from traceback import extract_tb
from zlib import crc32

import pytest

from e2e.odd import Asker, fill, furnish, odd_paths, odd_requests, routes
from e2e.odd_values import BYTES, request
from e2e.words import ON_BOTH
from harness.servers import BASE
from harness.site import Site
from live.testing import PATIENCE

ASKED = 400  # of some 800 000 different requests, always the same; and with --stress so many:
STRESSED = 30_000
LOGGED = 1000  # characters for each request, at most


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """A Parley that is not started: its database is asked from this process."""
    if request.param == "sqlite":
        yield Site(tmp_path)
        return
    with request.getfixturevalue("postgres_server").migrated() as url:
        yield Site(tmp_path, url)


@pytest.fixture
def log():
    """What the site's own handler writes (StringIO)."""
    [console] = [handler for handler in logging.root.handlers if handler.name == "console"]
    before = console.setStream(StringIO())
    yield console.stream
    console.setStream(before)


def test_no_odd_request_breaks_a_view_or_fills_the_log(database, log, settings):
    ask_oddly(database, log, settings, ASKED)


@pytest.mark.stress
def test_very_many_odd_requests_break_no_view(database, log, settings):
    ask_oddly(database, log, settings, STRESSED)


def ask_oddly(database, log, settings, number):
    settings.LIVE = settings.LIVE | {"LIMITED": False, "REAL_IP_HEADER": "X-Real-IP"}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    keys, sessions = furnish(database)
    asker, statuses, failures = Asker(), Counter(), []
    with database.orm(), asker.listening():
        for whose, route, name, asked in chosen(keys, number):
            status = asker.ask(session=sessions[whose], **asked)
            statuses[status] += 1
            if status >= 500:
                failures.append(f"{whose} {asked['method']} {route}, {name}: {status} {described(asker.exception)}")
    assert not failures, f"{len(failures)} of {number}:\n" + "\n".join(failures[:50])
    assert statuses.keys() >= {200, 302, 400, 403, 404, 405, 422}, statuses  # they got as far as the views
    assert len(log.getvalue()) < LOGGED * number and "Traceback" not in log.getvalue()


def chosen(keys, number):
    """``number`` of all requests, spread over all addresses, ways and people: (whose, route, name, request)."""
    every, ways = sorted(set(routes())), list(odd_requests())
    total = len(ways) * len(every) * 3
    for route in every:
        path = fill(route, keys)
        for way, (name, asked) in enumerate([*odd_paths(route, keys), *ways]):
            for whose in (None, "bob", "root"):
                if crc32(f"{route} {way} {whose}".encode()) % (total // number) == 0:
                    yield whose, route, name, {"method": "GET", "path": path} | asked


@ON_BOTH
def test_no_odd_bytes_break_a_server_or_fill_its_log(sites):
    """What no client library would send: each server parses it itself. There may be an answer, or none."""
    site = sites(REQUEST_TIMEOUT=2)
    with ThreadPoolExecutor(40) as threads:
        answers = Counter(line[9:12] for line in threads.map(partial(send, site), BYTES))
    assert not [status for status in answers if status.startswith(b"5") and status != b"505"], answers
    assert answers[b"200"] and answers[b"400"] and answers[b"404"], answers
    assert b" 200 " in send(site, request(b"GET /healthz HTTP/1.1"))
    assert len(site.log) < 200 * len(BYTES) and "Traceback" not in site.log and "s3cret" not in site.log
    assert "GET /" not in site.log  # what was asked is nginx's to log


def send(site, data):
    """Send ``data`` (bytes). → the line with the status (bytes), empty if there is none

    A server that waits for more of a request drops the line after a while.
    """
    with suppress(OSError), socket.create_connection(("127.0.0.1", site.port)) as line:
        line.settimeout(PATIENCE)
        line.sendall(data)
        return line.makefile("rb").readline()
    return b""


def described(exception):
    frames = extract_tb(exception.__traceback__) if exception else []
    where = [f"{frame.filename.removeprefix(str(BASE))}:{frame.lineno}" for frame in frames]
    return f"{exception!r:.100} at {where[-1:]}"

"""Pages: the post of 50 comments as somebody without an account gets it."""

import os
import re
import shutil
import subprocess
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from bench.peers import BASE, Absent, Nginx, Parley
from harness.processes import cpu

COMMENTS = 50
CONNECTIONS = 16
UVICORN = "Parley on uvicorn"
UVICORN_304 = "Parley on uvicorn, 304"
UVICORN_GZIP = "Parley on uvicorn, compressed"
DAPHNE = "Parley on daphne"
DJANGO = "Django without a cache, on uvicorn"
MIDDLEWARE = "Django's cache middleware, on uvicorn"
NGINX = "nginx, the same bytes as a file"
NGINX_304 = "nginx, 304"
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1}


class Django(Parley):
    """Only Django's part of Parley, with the settings of ``module`` (str)."""

    def __init__(self, title, module, **options):
        super().__init__(title, **options)
        self.options["env"]["DJANGO_SETTINGS_MODULE"] = module
        self.options["cwd"] = BASE

    @property
    def command(self):
        python = [BASE / ".venv/bin/python", "-m", "uvicorn", "bench.asgi:application"]
        place = ["--host", "127.0.0.1", "--port", self.port, "--loop", "uvloop", "--http", "httptools"]
        return [*python, *place, "--lifespan", "off", "--no-access-log", "--log-level", "warning"]


class File(Nginx):
    """nginx, which serves ``text`` (bytes) as the file of the page."""

    directives = "location = /publish { return 200; }"
    text = b""

    @property
    def page(self):
        return f"http://127.0.0.1:{self.port}/post.html"

    @property
    def command(self):
        (self.folder / "html").mkdir(exist_ok=True)
        (self.folder / "html/post.html").write_bytes(self.text)
        return super().command


def run(scale, rounds, env):
    """→ title -> list of dict, one for each round"""
    with Parley("sample", comments=COMMENTS, **env) as site:
        File.text = get(site.page)[1]

    ships = {"comments": COMMENTS} | env
    made = {
        NGINX: (lambda: File(NGINX), None),
        NGINX_304: (lambda: File(NGINX_304), etag),
        UVICORN: (lambda: Parley(UVICORN, **ships), None),
        UVICORN_304: (lambda: Parley(UVICORN_304, **ships), etag),
        UVICORN_GZIP: (lambda: Parley(UVICORN_GZIP, **ships), encoding),
        DAPHNE: (lambda: Parley(DAPHNE, server="daphne", **ships), None),
        MIDDLEWARE: (lambda: Django(MIDDLEWARE, "bench.cached", **ships), None),
        DJANGO: (lambda: Django(DJANGO, "parley.settings", **ships), None),
    }
    if not (wrk := shutil.which("wrk")):
        return dict.fromkeys(made, "wrk, which asks for the pages, is not installed")
    return rounds(made, lambda pair: measure(wrk, *pair, scale.seconds))


def measure(wrk, make, condition, seconds):
    with make() as server:
        for _ in range(20):  # warms it up
            answer, body = get(server.page)
        headers = condition(server.page, answer) if condition else {}
        return load(wrk, server, headers, seconds) | {"bytes": len(body)}


def etag(page, answer):
    """The headers of one who has the page already."""
    if not (tag := answer.headers["ETag"]):
        raise Absent("its pages have no ETag")
    headers = {"If-None-Match": tag}
    try:
        get(page, headers)
    except HTTPError as answer:
        if answer.code == 304:
            return headers
    raise Absent("it does not answer 304 to its own ETag")


def encoding(page, answer):
    headers = {"Accept-Encoding": "gzip, br, zstd"}
    if not get(page, headers)[0].headers["Content-Encoding"]:
        raise Absent("its pages are not compressed")
    return headers


def get(page, headers=()):
    """→ the answer, and its body (bytes)"""
    with urlopen(Request(page, headers=dict(headers))) as answer:
        return answer, answer.read()


def load(wrk, server, headers, seconds):
    """Ask ``server`` for its page as often as it answers, from 16 connections. → dict"""
    words = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    how = ["-t1", f"-c{CONNECTIONS}", f"-d{max(2, round(seconds))}s", "--timeout", "20s", "--latency"]
    before, ours = cpu(server.process.pid), os.times()
    said = subprocess.run([wrk, *how, *words, server.page], capture_output=True, text=True, check=True).stdout
    used, after = cpu(server.process.pid) - before, os.times()
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(said)
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", said).groups()
    requests = int(re.search(r"(\d+) requests in", said)[1])
    wall = after.elapsed - ours.elapsed
    busy = after.children_user + after.children_system - ours.children_user - ours.children_system
    return {
        "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]),
        "p99": float(number) * UNITS[unit],
        "cpu": used / requests,
        "busy": busy / wall,
    }

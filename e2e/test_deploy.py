"""What stands in front of Parley: deploy/nginx.conf in a real nginx, and the script that replaces its processes."""

import json
import os
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from select import select

import pytest

from harness.hand import Hand
from harness.nginx import Nginx
from harness.servers import BASE, free_port
from harness.site import HASTE, Site, furnished
from live.testing import PATIENCE, Page, until
from posts.models import Post

ASSET = "css/base.css"


class Echo:
    """Stands for the processes: answers with the headers (JSON) that reached it, and keeps sockets waiting."""

    def __init__(self):
        self.status = 200
        self.waiting = 0  # sockets
        self.ended, self.counting = threading.Event(), threading.Lock()
        echo = self

        class Answer(BaseHTTPRequestHandler):
            def answer(self):
                if self.path == "/ws/":
                    with echo.counting:
                        echo.waiting += 1
                    echo.ended.wait()
                body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
                self.send_response(echo.status)
                self.send_header("Content-Length", len(body))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer

            def log_message(self, *words):
                pass

        class Listening(ThreadingHTTPServer):
            request_queue_size = 200

        self.server = Listening(("127.0.0.1", 0), Answer)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *failure):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def echo():
    with Echo() as echo:
        yield echo


@pytest.fixture
def gate(tmp_path, echo):
    """nginx in front of what tells what reached it."""
    (tmp_path / "static").symlink_to(furnished() / "static")
    with Nginx(tmp_path, [echo.port, echo.port], tmp_path) as nginx:
        yield nginx


@pytest.fixture
def fleet(tmp_path, redis_server, postgres_server):
    """Two processes in production's server on one PostgreSQL and one Redis, and ``nginx`` in front of them."""
    plain = free_port()
    surroundings = {"ORIGINS": f"http://127.0.0.1:{plain}", "REAL_IP_HEADER": "X-Real-IP", **HASTE}
    with postgres_server.migrated() as database_url, ExitStack() as stack:
        both = [Site(tmp_path, database_url, redis_server.url, "uvicorn", **surroundings) for _ in range(2)]
        for one in both:
            one.launch()
            stack.push(one)
        for one in both:
            one.wait()
        nginx = stack.enter_context(Nginx(tmp_path, [one.port for one in both], tmp_path, plain))
        nginx.session = both[0].session
        nginx.sites = both
        yield nginx


@pytest.fixture
def bob(fleet):
    return fleet.sites[0].account("bob")


@pytest.fixture
def post(fleet, bob):
    with fleet.sites[0].orm():
        post = Post(author=bob, title="A day at the sea", body="The tide is out.")
        post.publish()
    return post


def sockets(site):
    """How many pages are connected to the process of ``site``, as it says itself."""
    return site.metric("live_connections")


def is_closed(page):
    """Whether the socket of ``page`` was closed, as far as it has heard."""
    while page.closed is None and page.next(within=0):
        pass
    return page.closed is not None


# The way through


def test_a_comment_posted_through_nginx_reaches_the_pages_of_both_processes(fleet, post, bob):
    address = f"{fleet.url}/posts/{post.slug}/"
    with ExitStack() as stack:
        pages = [stack.enter_context(Page(address)).connect() for _ in range(6)]
        for page in pages:
            page.hear("#readers")
        assert [sockets(site) for site in fleet.sites] == [3, 3]
        Hand(fleet, bob, post).write("heard everywhere")
        for page in pages:
            page.hear("heard everywhere")


def test_a_process_is_killed_and_the_site_stays(fleet, post, bob):
    address = f"{fleet.url}/posts/{post.slug}/"
    killed = fleet.sites[0]
    with ExitStack() as stack:
        pages = [stack.enter_context(Page(address)).connect() for _ in range(4)]
        for page in pages:
            page.hear("#readers")
        killed.kill()
        assert {fleet.get(f"/posts/{post.slug}/", Cookie=f"a={n}").status for n in range(20)} == {200}
        Hand(fleet, bob, post).write("said after the fall")
        until(lambda: sum(map(is_closed, pages)) == len(pages) - sockets(fleet.sites[1]))
        lost = [page for page in pages if page.closed]
        assert 0 < len(lost) < len(pages)
        for page in lost:
            page.connect()
        for page in pages:
            page.hear("said after the fall")


def test_anonymous_pages_are_kept_for_a_second_and_nobody_elses(fleet, post, bob):
    path = f"/posts/{post.slug}/"
    first = until(lambda: (answer := fleet.get(path)).getheader("X-Cache") == "HIT" and answer)
    assert fleet.get(path).body == first.body
    for _ in range(2):
        mine = fleet.get(path, Cookie=fleet.sites[0].cookie(bob))
        assert mine.getheader("X-Cache") == "BYPASS"
        assert "private" in mine.getheader("Cache-Control")
        assert b"/people/bob/" in mine.body
    assert fleet.get(path).body == first.body
    assert fleet.get(path, HX_Request="true").getheader("X-Cache") != "HIT"
    assert fleet.get(path, Accept_Language="zh-hans").body != first.body
    for odd in ([("Cookie", "django_language =zh-hans")], [("Accept-Language", "en"), ("Accept-Language", "zh-hans")]):
        with closing(HTTPConnection("127.0.0.1", fleet.plain, timeout=PATIENCE)) as line:
            line.putrequest("GET", path)
            for header in odd:
                line.putheader(*header)
            line.endheaders()
            assert line.getresponse().status == 200
        for language in ("", "en"):
            assert fleet.get(path, **({"Accept_Language": language} if language else {})).body == first.body, odd
    Hand(fleet, bob, post).write("no page is older than this")
    until(lambda: b"no page is older than this" in fleet.get(path).body)


def test_what_is_for_our_own_eyes_is_not_shown(fleet):
    site = fleet.sites[0]
    for path in ("/metrics", "/readyz"):
        with closing(HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)) as line:
            line.request("GET", path)
            assert line.getresponse().status == 200
        for spelled in (path, f"/{path}", f"{path}/", path.replace("e", "%65"), f"/static/..{path}", f"{path}?a=b"):
            assert fleet.get(spelled).status == 404, spelled
    assert fleet.get("/healthz").status == 200


# What nginx does itself


KEYS = ["/unsubscribe/3:1abc:key/", "/accounts/confirm-email/Mg:1abc:key/", "/accounts/password/reset/key/3-key/"]


def test_the_log_tells_of_requests_without_the_keys_in_their_addresses(gate, tmp_path):
    for path in KEYS:
        gate.get(path)
        gate.get(f"{path}?next=/")
        gate.get("/static/none.css")
        gate.get("/rooms/", Referer=f"https://blog.example{path}")
        with suppress(OSError):
            HTTPConnection("127.0.0.1", gate.port).request("GET", path)  # without TLS
    gate.get("/rooms/?page=2", User_Agent="a reader")
    gate.stop()
    log = (tmp_path / "access.log").read_text()
    assert '"GET /rooms/?page=2 HTTP/1.1" 200' in log and '"a reader"' in log
    assert '"GET /unsubscribe/... HTTP/1.1" 200' in log and '"https://blog.example/accounts/confirm-email/..."' in log
    assert len(log.splitlines()) >= 10 and "key/3" not in log and "1abc" not in log


def test_visitors_cannot_say_who_they_are(gate):
    claims = {"X_Real_IP": "1.2.3.4", "X_Forwarded_For": "1.2.3.4", "Forwarded": "for=1.2.3.4"}
    claims |= {"X_Forwarded_Host": "evil.example", "X_Forwarded_Port": "1", "X_Forwarded_Proto": "https"}
    reached = json.loads(gate.get("/", **claims).body)
    assert reached["x-real-ip"] == reached["x-forwarded-for"] == "127.0.0.1"
    assert reached["x-forwarded-proto"] == "http"
    assert not {"forwarded", "x-forwarded-host", "x-forwarded-port"} & set(reached)
    assert json.loads(gate.get("/", tls=True, X_Forwarded_Proto="http").body)["x-forwarded-proto"] == "https"


def test_plain_http_is_redirected_to_https(gate):
    with closing(HTTPConnection("127.0.0.1", gate.port, timeout=PATIENCE)) as line:
        line.request("GET", "/posts/?a=b", headers={"Host": "blog.example"})
        answer = line.getresponse()
        assert answer.status == 301
        assert answer.getheader("Location") == "https://blog.example/posts/?a=b"


def test_static_files_need_no_process(gate, echo):
    echo.status = 500
    hashed = json.loads((furnished() / "static/staticfiles.json").read_text())["paths"][ASSET]
    file = gate.get(f"/static/{hashed}", tls=True, Accept_Encoding="gzip")
    assert file.status == 200
    assert file.getheader("Cache-Control") == "public, max-age=31536000, immutable"
    assert file.getheader("Content-Type") == "text/css"
    assert file.getheader("Content-Encoding") == "gzip"
    assert file.body == (furnished() / f"static/{hashed}.gz").read_bytes()
    assert gate.get(f"/static/{ASSET}").getheader("Cache-Control") == "public, max-age=60"
    assert gate.get("/static/../nginx.conf").status == 500
    assert gate.get("/static/%2e%2e/nginx.conf").status == 500


def test_what_people_uploaded_is_inert(gate, tmp_path):
    (tmp_path / "media").mkdir()
    (tmp_path / "media/page.html").write_text("<script>alert(1)</script>")
    file = gate.get("/media/page.html")
    assert file.status == 200
    assert file.getheader("X-Content-Type-Options") == "nosniff"
    assert file.getheader("Content-Security-Policy") == "default-src 'none'; sandbox"


def test_posting_too_often_is_refused_and_reading_goes_on(gate):
    first = gate.ask("POST", "/")
    assert first.status == 200 and first.getheader("HX-Reswap") is None
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: gate.ask("POST", "/"), range(80)))
    refused = [answer for answer in answers if answer.status == 429]
    assert len(refused) > 10
    assert {answer.getheader("HX-Reswap") for answer in refused} == {"none"}  # what was typed stays
    assert gate.get("/").status == 200


def test_an_address_has_a_hundred_sockets(gate, echo):
    ask = "GET /ws/ HTTP/1.1\r\nHost: blog.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    with ExitStack() as stack:
        lines = [stack.enter_context(socket.create_connection(("127.0.0.1", gate.plain))) for _ in range(105)]
        for line in lines:
            line.sendall(ask.encode())
        until(lambda: len(select(lines, [], [], 0)[0]) + echo.waiting == len(lines), "an answer to each")
        refused = select(lines, [], [], 0)[0]
        assert {line.recv(12) for line in refused} == {b"HTTP/1.1 429"}
        assert echo.waiting == 100


def test_an_address_has_a_hundred_requests_that_do_not_end(gate):
    ask = "GET / HTTP/1.1\r\nHost: blog.example\r\nContent-Length: 9\r\n\r\n"
    with ExitStack() as stack:
        lines = [stack.enter_context(socket.create_connection(("127.0.0.1", gate.plain))) for _ in range(101)]
        for line in lines:
            line.sendall(ask.encode())
        [refused], _, _ = select(lines, [], [], 10)
        assert refused.recv(12) == b"HTTP/1.1 429"


def test_a_body_that_is_too_large_is_refused_and_the_page_stays(gate):
    answer = gate.ask("POST", "/", Content_Length="400000000")
    assert answer.status == 413 and answer.getheader("HX-Reswap") == "none"


# Replacing the processes


@pytest.fixture
def restart(tmp_path):
    """``restart(*ports)``: run deploy/rolling-restart over a systemd that only writes down what it is asked."""
    asked = tmp_path / "asked"
    stand_in = tmp_path / "bin/systemctl"
    stand_in.parent.mkdir()
    stand_in.write_text(f'#!/bin/sh\necho "$*" >>{asked}\n')
    stand_in.chmod(0o755)

    def restart(*ports, patience=PATIENCE):
        path = os.pathsep.join([str(stand_in.parent), os.environ["PATH"]])
        command = [BASE / "deploy/rolling-restart", *map(str, ports)]
        env = {"PATH": path, "PATIENCE": str(patience)}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE)
        done.asked = asked.read_text().splitlines() if asked.exists() else []
        return done

    return restart


def test_processes_are_replaced_one_after_the_other(restart, echo):
    with Echo() as second:
        done = restart(echo.port, second.port)
        assert done.returncode == 0, done.stderr
        assert done.asked == [f"restart parley@{port}.service" for port in (echo.port, second.port)]


def test_a_process_that_does_not_come_back_spares_the_others(restart, echo):
    echo.status = 503
    done = restart(echo.port, 1, patience=1)
    assert done.returncode == 1
    assert f"parley@{echo.port} is not ready" in done.stderr
    assert done.asked == [f"restart parley@{echo.port}.service"]

"""What arrives on the line of a server from somebody who means harm: it is counted, and cut, where it arrives.

Each attack ends because the server ends it: a test whose stranger is not cut waits until its line times out.
"""

import json
import random
import select
import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection
from urllib.request import urlopen

import pytest
from websockets.frames import Frame, Opcode

from e2e.words import ON_BOTH
from harness.crowd import Reading, percentile
from live.testing import PATIENCE, Page
from posts.models import Post

pytestmark = ON_BOTH

TOO_MUCH = 30_000_000  # bytes that a stranger sends at most, should nobody stop them


@pytest.fixture
def site(sites):
    """A site that waits for a request no longer than a second."""
    return sites(REQUEST_TIMEOUT=1)


@pytest.fixture
def page(site, post):
    """Somebody else's page, which is told things all the time."""
    with Page(f"{site.url}/posts/{post.slug}/") as page:
        page.connect().hear("reading")
        yield page


def still_serves(site, post, page, text):
    """The site answers, and ``page`` hears what is written now."""
    for path in ("/healthz", f"/posts/{post.slug}/"):
        with urlopen(site.url + path, timeout=PATIENCE) as answer:
            assert answer.status == 200
    with site.orm():
        Post.objects.get(pk=post.pk).comment(post.author, text)
    page.hear(text, within=PATIENCE)
    assert "Traceback" not in site.log


@contextmanager
def line(site):
    """A plain connection to ``site``."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as line:
        yield line


@contextmanager
def websocket(site, form=None):
    """A plain connection to ``site`` that has become a WebSocket, and has said ``form`` (dict)."""
    with line(site) as stranger:
        stranger.sendall(
            f"GET /ws/ HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nOrigin: {site.url}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += stranger.recv(1)
        if b" 101 " not in head:
            raise ConnectionRefusedError(head)
        if form:
            stranger.sendall(frame(Opcode.TEXT, json.dumps(form).encode()))
        yield stranger


def frame(opcode, data=b"", fin=True):
    return Frame(opcode, data, fin).serialize(mask=True)


def received(stranger):
    """All that comes until the line is closed (bytes)."""
    parts = []
    with suppress(ConnectionResetError):
        while part := stranger.recv(65536):
            parts.append(part)
    return b"".join(parts)


def pushed(stranger, part, most=TOO_MUCH):
    """Send ``part`` (bytes) again and again. → whether the line was cut before ``most`` bytes had been taken"""
    try:
        for _ in range(most // len(part)):
            stranger.sendall(part)
    except OSError:
        return True
    return False


def refused(site, why):
    """How many sockets the site says it has cut for ``why``."""
    return site.metric(f'live_refused_sockets_total{{why="{why}"}}')


# Frames

BEGIN = frame(Opcode.TEXT, b"", fin=False)
FRAMES = {
    "empty continuations": (BEGIN, frame(Opcode.CONT, b"", fin=False)),
    "short continuations": (BEGIN, frame(Opcode.CONT, b"x", fin=False)),
    "pings": (b"", frame(Opcode.PING)),
    "large pings": (b"", frame(Opcode.PING, b"x" * 125)),
    "pongs": (b"", frame(Opcode.PONG, b"y")),
    "pings within a message": (BEGIN, frame(Opcode.PING) + frame(Opcode.CONT, b"", fin=False)),
}


def test_a_flood_of_frames_that_complete_no_message_is_closed(site):
    """So few that all would fit into the server's buffers: it is their number that counts."""
    for kind, (first, part) in FRAMES.items():
        with websocket(site) as stranger:
            stranger.sendall(first + part * 1000)
            assert b"\x88\x08\x03\xf0frames" in (said := received(stranger)), kind  # closed with 1008
            assert said.count(b"\x8a") < 250  # pongs
    assert refused(site, "frames") == len(FRAMES)
    assert "Traceback" not in site.log


def test_a_page_that_floods_is_told_why_it_is_closed(site, post, page):
    """What the application says to it is not lost, though the flood goes on for a while."""
    with websocket(site, page.form) as stranger:
        form = frame(Opcode.TEXT, json.dumps(page.form).encode())
        flooding = threading.Thread(target=pushed, args=[stranger, form * 100, 5_000_000])
        flooding.start()
        assert b"\x88\x02\x0f\xa8" in received(stranger)  # closed with 4008
        flooding.join()


def test_others_are_served_beside_floods_that_never_end(site, post, page):
    before = site.megabytes
    with ExitStack() as stack:
        strangers = [(stack.enter_context(websocket(site)), *FRAMES[kind]) for kind in FRAMES]
        for stranger, first, part in strangers:
            stranger.sendall(first)
            assert pushed(stranger, part * 10_000)
        still_serves(site, post, page, "beside the flood")
    assert refused(site, "frames") == len(FRAMES)
    assert site.megabytes - before < 100


def test_messages_larger_than_any_page_sends_are_kept_by_nobody(site, post, page):
    before = site.megabytes
    declared = bytes([0x82, 0xFF]) + (16_000_000).to_bytes(8) + bytes(4)  # a frame of 16 MB, and its mask
    parts = frame(Opcode.TEXT, b"", fin=False), frame(Opcode.CONT, b"x" * 10_000, fin=False)
    with ExitStack() as stack:
        for first, part in [(declared, bytes(100_000)), parts] * 30:
            stranger = stack.enter_context(websocket(site))
            with suppress(OSError):
                stranger.sendall(first)
            assert pushed(stranger, part, 4_000_000)
        still_serves(site, post, page, "beside the parts")
        assert site.megabytes - before < 100


def test_a_message_in_parts_and_pings_are_heard(site, post):
    with Page(f"{site.url}/posts/{post.slug}/") as page:
        said = json.dumps(page.form)
        page.connect(subscribe=False)
        page.send([said[n : n + 20] for n in range(0, len(said), 20)])
        for _ in range(20):
            assert page.socket.ping().wait(PATIENCE)
        page.hear("reading")


def test_messages_that_arrive_at_once_are_all_heard(site, post, page):
    """More than the server takes at a time, in one piece; the last of them is answered."""
    with websocket(site) as stranger:
        form = json.dumps(page.form | {"headers": "x" * 1000}).encode()
        stranger.sendall(frame(Opcode.TEXT, form) * 30 + frame(Opcode.PING, b"the last") + frame(Opcode.CLOSE))
        assert b"the last" in received(stranger)


def test_what_is_sent_to_a_page_may_be_larger_than_what_it_may_send(site, post):
    with site.orm():
        mine = Post.objects.get(pk=post.pk)
        for n in range(60):
            mine.comment(post.author, f"{n} ".ljust(3000, "x"))
    with Page(f"{site.url}/posts/{post.slug}/") as page:
        page.form = {name: "1" if tick.isdecimal() else tick for name, tick in page.form.items()}
        page.connect().hear("59 x")
        assert len(page.text) > 65_536


# Requests

POST = "POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\n"
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
UNFINISHED = {
    "nothing": "",
    "empty lines": "\r\n",
    "half a head": "GET / HTTP/1.1\r\nHost: loc",
    "no body": f"{POST}{FORM}Content-Length: 10\r\n\r\n",
    "half a body": f"{POST}{FORM}Content-Length: 10\r\n\r\na=b",
    "half a chunk": f"{POST}{FORM}Transfer-Encoding: chunked\r\n\r\n5\r\na=b",
    "a page and its body": "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n",
    "a second request": "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: loc",
}


def test_requests_that_never_end_are_dropped(site, post, page):
    with ExitStack() as stack:
        strangers = {}
        for name, started in UNFINISHED.items():
            strangers[name] = stack.enter_context(line(site))
            strangers[name].sendall(started.encode())
        still_serves(site, post, page, "beside the halves")
        said = {name: received(stranger) for name, stranger in strangers.items()}
    for name in ("no body", "half a body", "half a chunk"):
        assert b" 408 " in said[name].partition(b"\r\n")[0], name
    assert b" 200 " in said["a second request"]


def test_a_request_that_comes_byte_by_byte_is_dropped(site):
    """Each byte is news, and all together they are too slow."""
    for name in ("half a head", "half a body"):
        with line(site) as stranger:
            stranger.settimeout(0.1)
            stranger.sendall(UNFINISHED[name].encode().replace(b"Length: 10", b"Length: 900000"))
            for _ in range(10 * PATIENCE):
                try:
                    stranger.sendall(b"x")
                    if not (answer := stranger.recv(1000)) or b" 408 " in answer:
                        break
                except TimeoutError:
                    continue
                except OSError:
                    break
            else:
                pytest.fail(f"{name}: it is still listened to")


def test_a_first_reader_whose_request_never_ends_holds_the_page_from_nobody(site, post):
    """The page of all is made for the first who asks, whose request or whose reading may never end."""
    with ExitStack() as stack:
        for path in ("/", f"/posts/{post.slug}/", "/nowhere/"):
            for _ in range(2):
                stranger = stack.enter_context(line(site))
                head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nContent-Length: 9\r\n\r\n"
                stranger.sendall(head.encode())
        other = HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
        for path, status in (("/", 200), (f"/posts/{post.slug}/", 200), ("/nowhere/", 404)):
            other.request("GET", path)
            answer = other.getresponse()
            assert answer.status == status and answer.read()


KINDS = {"application/x-www-form-urlencoded": 1_000_001, "multipart/form-data; boundary=x": 10 * 1024 * 1024 + 1}


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(site):
    for kind, length in (*KINDS.items(), ("text/plain", 400_000_000)):
        for extra, wanted in (
            ({}, "at most 10 MB" if "multipart" in kind else "at most 1 MB"),
            ({"Accept-Language": "zh-hans"}, "最多"),
            ({"HX-Request": "true"}, '<hx-partial hx-target="#notice"'),
        ):
            request = HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
            request.putrequest("POST", "/accounts/login/")
            for name, value in ({"Content-Type": kind, "Content-Length": length} | extra).items():
                request.putheader(name, str(value))
            request.endheaders()
            answer = request.getresponse()
            assert answer.status == 413 and wanted in answer.read().decode()
            assert (answer.getheader("HX-Reswap") == "none") == ("HX-Request" in extra)
            request.close()


def test_a_body_too_large_that_was_sent_to_its_end_is_refused(site):
    """The answer is there to be read, though the body was not: a browser reads only when it has sent all."""
    request = HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
    request.request("POST", "/accounts/login/", b"x" * 12_000_000, {"Content-Type": "text/plain"})
    assert request.getresponse().status == 413


def test_a_body_of_unknown_length_is_read_up_to_the_limit_only(site, post, page):
    with line(site) as stranger:
        kind = "Content-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked\r\n\r\n"
        stranger.sendall(f"{POST}{kind}".encode())
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        assert pushed(stranger, chunk, 400_000_000)
    still_serves(site, post, page, "beside the chunks")


def test_what_people_send_is_none_of_that(site):
    part = b'--x\r\nContent-Disposition: form-data; name="picture"; filename="sea.jpg"\r\n\r\n%s\r\n--x--\r\n'
    for kind, body in (
        ("application/x-www-form-urlencoded", b"x" * 900_000),
        ("multipart/form-data; boundary=x", part % bytes(9_000_000)),
    ):
        request = HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
        request.request("POST", "/accounts/login/", body, {"Content-Type": kind})
        assert request.getresponse().status == 403  # it has no token, but it was read


def test_an_answer_that_is_not_read_is_dropped(site, post):
    with site.orm():
        mine = Post.objects.get(pk=post.pk)
        for n in range(60):
            mine.comment(post.author, f"{n} ".ljust(3000, "x"))
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stranger.connect(("127.0.0.1", site.port))
        asked = f"GET /posts/{post.slug}/ HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n\r\n".encode()
        stranger.sendall(asked * 100)
        end = select.poll()
        end.register(stranger, select.POLLRDHUP)
        assert end.poll(PATIENCE * 1000)
    assert "Traceback" not in site.log


def test_a_site_with_unfinished_requests_ends_in_order(site):
    with ExitStack() as stack:
        for started in UNFINISHED.values():
            stack.enter_context(line(site)).sendall(started.encode())
        site.stop()
    assert "Traceback" not in site.log


# For a minute. Each attack is one stranger's, from one connection to its end, or from many at once; → why it ended


def frames(kind):
    first, part = FRAMES[kind]

    def attack(site, _):
        with websocket(site) as stranger:
            stranger.sendall(first)
            return "cut" if pushed(stranger, part * 10_000) else "not cut"

    return attack


def partial_messages(site, _):
    with ExitStack() as stack:
        lines = [stack.enter_context(websocket(site)) for _ in range(15)]
        declared = bytes([0x82, 0xFF]) + (16_000_000).to_bytes(8) + bytes(4)
        cut = [pushed(one, declared + bytes(1_000_000), 16_000_000) for one in lines]
        return "cut" if all(cut) else "not cut"


def made_up_cursors(site, form):
    with websocket(site) as stranger:
        stranger.settimeout(PATIENCE)
        for _ in range(1000):
            said = {name: str(random.randrange(10**9)) if tick.isdecimal() else tick for name, tick in form.items()}
            try:
                stranger.sendall(frame(Opcode.TEXT, json.dumps(said).encode()))
            except OSError:
                return "cut"
        received(stranger)
        return "closed"


def unfinished(*names):
    def attack(site, _):
        with ExitStack() as stack:
            lines = [stack.enter_context(line(site)) for _ in range(100)]
            for n, one in enumerate(lines):
                one.sendall(UNFINISHED[names[n % len(names)]].encode())
            answers = [received(one) for one in lines]
            return "dropped, said 408" if all(b" 408 " in answer for answer in answers) else "dropped"

    return attack


def large_bodies(site, _):
    with line(site) as stranger:
        stranger.sendall(f"{POST}{FORM}Content-Length: 400000000\r\n\r\n".encode())
        cut = pushed(stranger, bytes(1_000_000), 400_000_000)
        return "413, cut" if cut else "not cut"


ATTACKS = {
    **{name: frames(name) for name in ("empty continuations", "large pings")},
    "parts of messages": partial_messages,
    "made-up cursors": made_up_cursors,
    "half-open requests": unfinished("nothing", "half a head"),
    "bodies that never come": unfinished("no body", "half a chunk"),
    "large bodies": large_bodies,
}


@pytest.mark.stress
@pytest.mark.parametrize("attack", ATTACKS)
def test_others_are_served_beside_a_minute_of(sites, server, attack, capsys):
    site = sites()
    alice = site.account("alice")
    with site.orm():
        post = Post(author=alice, title="A day at the sea")
        post.publish()
    address = f"{site.url}/posts/{post.slug}/"
    with Page(address) as page, Reading(address, site.cookie(alice)) as reading:
        page.connect().hear("reading")
        form, over, ends, spans, most = dict(page.form), threading.Event(), [], [], 0
        time.sleep(5)  # until caches are filled
        before, worked = site.megabytes, site.cpu

        def harm():
            while not over.wait(0.2):
                try:
                    ends.append(ATTACKS[attack](site, form))
                except OSError as error:  # not even let in
                    ends.append(type(error).__name__)

        strangers = [threading.Thread(target=harm, daemon=True) for _ in range(4)]
        for stranger in strangers:
            stranger.start()
        began = time.monotonic()
        try:
            while (now := time.monotonic()) < began + 60:
                with site.orm():
                    Post.objects.get(pk=post.pk).comment(alice, mark := f"mark {now}")
                page.hear(mark, within=PATIENCE)
                spans.append(time.monotonic() - now)
                most = max(most, site.megabytes)
                time.sleep(0.5)
        finally:
            over.set()
        for stranger in strangers:
            stranger.join()
        worked = site.cpu - worked
        while site.megabytes - before > 100:
            assert time.monotonic() < began + 180, f"{before:.0f} MB before, {site.megabytes:.0f} MB two minutes after"
            time.sleep(1)
    counts = ", ".join(f"{ends.count(end)} {end}" for end in sorted(set(ends)))
    with capsys.disabled():
        print(
            f"\n    {server}, {attack}: {counts}; memory {before:.0f} MB before, at most {most:.0f}, then "
            f"{site.megabytes:.0f}; CPU {worked:.0f} s; a comment's way p95 {percentile(spans, 95):.2f} s, worst "
            f"{max(spans):.2f}; {len(reading.spans)} pages read, p95 {percentile(reading.spans, 95):.2f} s"
        )
    assert ends and "not cut" not in ends
    assert "Traceback" not in site.log

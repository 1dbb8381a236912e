"""The servers of these tests are what they claim to be."""

import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection
from urllib.parse import urlsplit

import psycopg
import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import Error, expect

from e2e.words import ON_BOTH
from harness.site import READY, Relay, Site
from live.testing import PATIENCE
from posts.models import Post


def get(url, path=READY):
    """The status (int) of the answer of the server at ``url``; raises ``OSError`` if there is none."""
    address = urlsplit(url)
    line = HTTPConnection(address.hostname, address.port, timeout=PATIENCE)
    line.request("GET", path)
    return line.getresponse().status


def test_redis_comes_back_at_its_port(redis_server):
    port = redis_server.port
    redis_server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    redis_server.start()
    assert redis_server.ask("PING") == "+PONG"
    assert redis_server.port == port


def test_postgres_keeps_what_it_was_told_over_a_restart(postgres_server):
    with postgres_server.migrated() as url:
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE django_content_type SET model = 'renamed' WHERE model = 'person'")
        postgres_server.restart()
        with psycopg.connect(url) as connection:
            renamed = connection.execute("SELECT app_label FROM django_content_type WHERE model = 'renamed'")
            assert renamed.fetchall() == [("people",)]


def test_a_killed_site_comes_back_with_what_it_had(site):
    assert get(site.url) == 200
    site.account("alice")
    site.kill()
    with pytest.raises(ConnectionRefusedError):
        get(site.url)
    site.start()
    assert get(site.url) == 200
    with site.orm():
        assert get_user_model().objects.get().username == "alice"


@ON_BOTH
def test_a_stopped_site_leaves_in_order(site):
    assert site.stop() in (0, -signal.SIGTERM)  # uvicorn ends in order, and then as it was told
    assert "Traceback" not in site.log


def test_sites_do_not_share_their_people(site, wide):
    site.account("alice")
    wide[0].account("bob")
    with site.orm():
        assert [str(person) for person in get_user_model().objects.all()] == ["alice"]
    with wide[1].orm():
        assert [str(person) for person in get_user_model().objects.all()] == ["bob"]
    with pytest.raises(RuntimeError, match="not allowed"):
        get_user_model().objects.count()


def test_a_relay_cuts_stalls_and_mends(site):
    with Relay(site) as relay:
        assert get(relay.url) == 200
        relay.cut()
        with pytest.raises(ConnectionRefusedError):
            get(relay.url)
        relay.mend()
        assert get(relay.url) == 200
        relay.stall()
        with ThreadPoolExecutor(1) as thread:
            held_up = thread.submit(get, relay.url)
            assert get(site.url) == 200  # the site answers, but the line does not
            assert not held_up.done()
            relay.mend()
            assert held_up.result() == 200


def test_a_relay_breaks_the_connections_that_it_has(site):
    with Relay(site) as relay, socket.create_connection(("127.0.0.1", site.detour), PATIENCE) as line:
        line.sendall(f"GET {READY} HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-0\r\n\r\n".encode())
        assert line.recv(1)
        relay.cut()
        with suppress(ConnectionResetError):
            while line.recv(65536):  # raises TimeoutError if the line stays open
                pass


def test_a_page_tells_its_troubles(site, open_page):
    page = open_page(site)
    page.goto(READY)
    assert page.troubles == []
    with page.expect_console_message():
        page.goto("/static/nowhere.js")
    assert "404" in page.troubles.pop()


def test_a_page_knows_its_person_and_language(site, open_page):
    alice = site.account("alice", is_staff=True, is_superuser=True)
    page = open_page(site, alice, language="zh-Hans", width=400)
    page.goto("/admin/")
    expect(page.locator("#user-tools")).to_contain_text("alice")
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    assert page.evaluate("innerWidth") == 400


def test_a_page_comes_through_a_relay_without_javascript(site, open_page):
    alice = site.account("alice", is_staff=True, is_superuser=True)
    with Relay(site) as relay:
        page = open_page(relay, alice, javascript=False)
        page.goto("/admin/")
        expect(page.locator("#user-tools")).to_contain_text("alice")
        relay.cut()
        with pytest.raises(Error, match="ERR_CONNECTION_REFUSED"):
            page.reload()
        page.troubles.clear()


def test_bin_serve_sets_up_a_new_house_once(sites):
    site = sites(server="serve")
    with site.orm():
        assert Post.objects.update(title="Mine") > 0
    assert site.stop() == 0
    site.start()
    with site.orm():
        assert {post.title for post in Post.objects.all()} == {"Mine"}


def test_bin_serve_says_that_its_port_is_taken(site):
    second = Site(site.folder, server="serve", PORT=site.port)
    second.launch()
    assert second.process.wait(PATIENCE) == 1
    assert f"cannot use port {site.port} of 127.0.0.1: Address already in use" in second.log

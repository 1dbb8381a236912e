"""The inbox over HTTP, what is announced, and names that are completed."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import unquote

import pytest
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from inbox.models import ANNOUNCEMENTS, Announcement, Dismissal, Notification, notify
from inbox.models.announcement import update_announcements
from live.cursors import cursors
from live.deltas import delta
from live.streams import find, name_of
from people.markdown import mentioned, render_markdown

HTMX = {"HX-Request": "true"}


@pytest.fixture
def as_bob(client, bob):
    client.force_login(bob)
    return client


@pytest.fixture
def notifications(bob, alice, person):
    """25 things that bob is told."""
    for n in range(25):
        notify(Notification.Kind.MENTION, [bob], thread=alice, source=person(f"source{n}"), by=alice)
    return list(Notification.objects.order_by("pk"))


def test_the_inbox_shows_twenty_a_page_and_to_its_owner_alone(as_bob, notifications, carol):
    assert as_bob.get("/inbox/").content.decode().count("alice mentioned you in alice") == 20
    second = as_bob.get("/inbox/?page=2").content.decode()
    assert second.count("alice mentioned you in alice") == 5 and 'id="inbox"' not in second
    assert as_bob.get("/inbox/").headers["Cache-Control"].count("no-store") == 1
    as_bob.force_login(carol)
    assert "mentioned" not in as_bob.get("/inbox/").content.decode()
    for address in ("", "read/", "unread/"):
        ask = as_bob.post if address else as_bob.get
        assert ask(f"/inbox/{notifications[0].pk}/{address}").status_code == 404
        assert ask(f"/inbox/999999/{address}").status_code == 404
    assert Client().get("/inbox/").status_code == 302


def test_following_a_row_reads_it_and_leads_to_its_source(as_bob, notifications, bob):
    address = notifications[3].get_absolute_url()
    as_bob.get(address, headers={"Sec-Purpose": "prefetch"})
    assert bob.notifications.unread().count() == 25
    assert as_bob.get(address).url == "/people/source3/"
    assert bob.notifications.unread().count() == 24
    assert as_bob.get("/inbox/read/").status_code == as_bob.get(address + "unread/").status_code == 405


def test_marking_answers_what_the_page_misses_or_leads_back(as_bob, notifications, bob):
    [cursor] = cursors(bob)
    address = notifications[0].get_absolute_url()
    told = as_bob.post(address + "read/", {cursor.signed: cursor.tick}, headers=HTMX).content.decode()
    assert (
        f'hx-target="#notification-{notifications[0].pk}" hx-swap="outerMorph"' in told and 'data-unread="24"' in told
    )
    back = as_bob.post(address + "unread/", headers={"Referer": "http://testserver/inbox/?page=2"})
    assert back.url == "http://testserver/inbox/?page=2"
    for elsewhere in ("http://evil.example/", "http://[::", "x", "front", "//testserver", "javascript:alert(1)"):
        assert as_bob.post("/inbox/read/", headers={"Referer": elsewhere}).url == "/inbox/"
    assert not bob.notifications.unread().exists()


def test_a_title_is_said_again_with_its_number_as_text_and_without_a_database(client):
    said = client.get("/inbox/title/", {"title": "</title><script>x</script>", "unread": "100"}).content.decode()
    assert said == "<title>(99+) &lt;/title&gt;&lt;script&gt;x&lt;/script&gt;</title>\n"
    assert client.get("/inbox/title/", {"title": "A", "unread": "0"}).content == b"<title>A</title>\n"
    assert client.get("/inbox/title/", {"title": "A", "unread": "٣x"}).content == b"<title>A</title>\n"


def test_an_anonymous_page_asks_nothing_of_an_inbox(client, db):
    page = client.get("/").content.decode()
    assert 'id="badge"' not in page and 'id="retitle"' not in page and "<title>Parley</title>" in page


# Announcements


def announce(by, body="We close at **noon**", starts=0, ends=60):
    now = timezone.now()
    said = Announcement(body=body, by=by, starts=now + timedelta(minutes=starts), ends=now + timedelta(minutes=ends))
    said.announce()
    return said


def told(since):
    return delta(find(name_of(ANNOUNCEMENTS)), since)[0]


def test_an_announcement_stands_on_pages_that_are_open_and_on_later_ones_until_it_ends(alice, client):
    [before] = cursors(ANNOUNCEMENTS)
    page = client.get("/")
    assert f'name="{before.signed}"' in page.content.decode()
    assert f"{before.name}=" in unquote(page.headers["X-Streams"])
    said = announce(alice)
    assert "We close at <strong>noon</strong>" in told(before.tick)
    page = client.get("/").content.decode()
    shown = (
        rf'<div id="announcements" role="status" data-live>\s*<section class="announcement" id="announcement-{said.pk}"'
    )
    assert re.search(shown, page)
    [before] = cursors(ANNOUNCEMENTS)
    said.end()
    assert f'hx-target="#announcement-{said.pk}" hx-swap="delete"' in told(before.tick)
    assert "noon" not in client.get("/").content.decode()


def test_the_pulse_shows_what_begins_and_takes_down_what_ends_once(alice, client):
    said = announce(alice, starts=10)
    assert "noon" not in client.get("/").content.decode()
    for times in ({"starts": -1, "ends": 1}, {"starts": -3, "ends": -1}):
        moments = {name: timezone.now() + timedelta(minutes=by) for name, by in times.items()}
        Announcement.objects.filter(pk=said.pk).update(**moments)
        [before] = cursors(ANNOUNCEMENTS)
        update_announcements()
        update_announcements()
        assert cursors(ANNOUNCEMENTS)[0].tick == before.tick + 1
        assert ("noon" in told(before.tick)) == (times["ends"] > 0)


def test_announcements_are_a_minute_apart(alice):
    announce(alice)
    for starts in (-0.5, 0.5):
        with pytest.raises(ValidationError, match="At most one announcement a minute"):
            announce(alice, starts=starts)
    with pytest.raises(ValidationError, match="ends after it begins"):
        announce(alice, starts=5, ends=4)
    announce(alice, starts=2)


def test_the_admin_announces_and_says_why_it_does_not(client, person):
    client.force_login(person("eve", is_staff=True, is_superuser=True))
    now = timezone.now()
    form = {"body": "<script>x</script> **now**", "starts_0": now.date(), "starts_1": now.strftime("%H:%M:%S")}
    form |= {"ends_0": (now + timedelta(days=1)).date(), "ends_1": "00:00"}
    assert client.post("/admin/inbox/announcement/add/", form).status_code == 302
    said = Announcement.objects.get()
    assert said.by.username == "eve" and said.up and said.html.startswith("<p>&lt;script&gt;")
    again = client.post("/admin/inbox/announcement/add/", form)
    assert "At most one announcement a minute" in unescape(again.content.decode()) and Announcement.objects.count() == 1
    assert client.post(f"/admin/inbox/announcement/{said.pk}/change/", form | {"body": "later"}).status_code == 302
    client.post("/admin/inbox/announcement/", {"action": "end", "_selected_action": [said.pk]})
    said.refresh_from_db()
    assert said.body == "later" and not said.is_current and not said.up
    assert client.post(f"/admin/inbox/announcement/{said.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_signed_in_dismiss_by_a_row_and_hear_of_it_in_other_tabs(as_bob, alice, bob):
    said = announce(alice)
    [before] = cursors(bob)
    answer = as_bob.post(f"/announcements/{said.pk}/dismiss/", headers=HTMX)
    as_bob.post(f"/announcements/{said.pk}/dismiss/")
    assert answer.content.decode().startswith(f'<hx-partial hx-target="#announcement-{said.pk}" hx-swap="delete">')
    assert "dismissed" not in answer.cookies and Dismissal.objects.count() == 1
    assert "noon" not in as_bob.get("/").content.decode()
    assert f'hx-target="#announcement-{said.pk}" hx-swap="delete"' in delta(find(name_of(bob)), before.tick)[0]


def test_the_signed_out_dismiss_by_a_cookie_and_their_page_stays_everybodys(client, alice):
    said = announce(alice)
    before = client.get("/").content
    assert client.get("/announcements/dismissed.css").content == b""
    answer = client.post(f"/announcements/{said.pk}/dismiss/", headers={"Referer": "http://testserver/tags/x/"})
    assert answer.url == "http://testserver/tags/x/" and 3000 < answer.cookies["dismissed"]["max-age"] <= 3600
    assert client.get("/").content == before == Client().get("/").content
    css = client.get("/announcements/dismissed.css")
    assert css.content.decode() == f"#announcement-{said.pk} {{ display: none }}\n"
    assert "no-store" in css.headers["Cache-Control"]
    client.cookies["dismissed"] = "1}body{x.-1." + "9" * 40
    assert client.get("/announcements/dismissed.css").content == b""
    assert client.post("/announcements/999/dismiss/").status_code == 404
    foreign = client.post(f"/announcements/{said.pk}/dismiss/", headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403 and not foreign.cookies


def test_the_page_of_an_error_needs_none_of_it(db):
    assert "<title>Parley</title>" in render_to_string("500.html")


def test_every_page_hears_of_announcements_that_of_signing_in_too(client, alice):
    [cursor] = cursors(ANNOUNCEMENTS)
    announce(alice)
    for address in ("/accounts/login/", "/nowhere/"):
        page = client.get(address).content.decode()
        assert cursor.signed in page and "noon" in page


# Names


def test_names_become_links_where_they_name_somebody(person):
    for name in ("li_wei", "ana", "李雷", "b.o-b"):
        person(name)
    cases = {
        "hi @ana!": ["ana"],
        "@Ana and @ana.": ["ana"],
        "(@b.o-b) @b.o-b. @li_wei_": ["b.o-b"],
        "问 @李雷，好": ["李雷"],
        "*@li_wei*": ["li_wei"],
        "x@ana me@ana.org _@ana https://x.org/@ana x.org/@ana": [],
        "`@ana` \\@ana [@ana](/x) <https://x/@ana>": [],
        "```\n@ana\n```\n\n    @ana": [],
        "@nobody @a @" + "x" * 31: [],
    }
    for text, names in cases.items():
        assert [one.username for one in mentioned(text)] == names, text
        assert ('href="/people/' in render_markdown(text)) == bool(names), text
    assert render_markdown("hi @ana.") == '<p>hi <a href="/people/ana/" rel="nofollow ugc noopener">@ana</a>.</p>\n'
    assert render_markdown("@nobody & <b>") == "<p>@nobody &amp; &lt;b&gt;</p>\n"


def test_ten_names_are_looked_up_and_no_more_in_one_question(person, django_assert_num_queries):
    for n in range(12):
        person(f"p{n}")
    text = " ".join(f"@p{n}" for n in range(12)) + " @p0" * 300
    with django_assert_num_queries(1):
        assert [one.username for one in mentioned(text)] == [f"p{n}" for n in range(10)]
    with django_assert_num_queries(0):
        render_markdown("no names @ all, *nor* me@example.org")


def complete(client, body, **fields):
    return client.post("/complete/?field=body-new&thread=post:999", {"body": body, **fields}, headers=HTMX)


def test_a_name_begun_is_completed_for_the_signed_in(as_bob, person, alice, django_assert_num_queries):
    person("alfred", display_name="Zoë <b>")
    person("albert", is_active=False)
    html = complete(as_bob, "hi @al").content.decode()
    assert "@alfred" in html and "@alice" in html and "albert" not in html and "Zoë &lt;b&gt;" in html
    assert "@alfred" in complete(as_bob, "@zoë").content.decode()
    done = complete(as_bob, "</textarea> @al", name="alfred").content.decode()
    assert "&lt;/textarea&gt; @alfred </textarea>" in done
    with django_assert_num_queries(2 * 2):  # whose session it is, and who that is
        assert complete(as_bob, "no name here").status_code == 204
        assert "button" not in complete(as_bob, "no name here", offering=1).content.decode()
    for n in range(20):
        person(f"al{n}")
    assert complete(as_bob, "@al").content.decode().count("<button") == 8
    assert "button" not in complete(Client(), "@al").content.decode()
    assert as_bob.post("/complete/?field=x%22y", {"body": "@al"}).status_code == 404


def test_every_address_of_ours_is_tried_above():
    """A new route must be thought of here; following, ignoring and muting are tried in posts/tests/test_telling.py."""
    ours = {pattern.name for pattern in get_resolver("inbox.urls").url_patterns}
    assert ours == {
        *("inbox", "title", "read-all", "notification", "read", "unread"),
        *("follow", "ignore", "dismissed", "dismiss", "complete", "unsubscribe"),
    }

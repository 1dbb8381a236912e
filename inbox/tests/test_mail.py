"""What people are told by mail: through a real mail server, with clocks that are moved by moving the rows' times."""

import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings as django_settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.core.signing import Signer, b62_encode
from django.db import connections, transaction
from django.db.models import F
from django.test import Client

from harness.mail import MailServer
from harness.servers import BASE, environment
from inbox.mail import send_due, signer, unsubscribing
from inbox.models import EmailDigest, Ignore, Mute, Notification, notify, read, withdraw_notifications
from live.testing import PATIENCE, until
from people.models import Person

Kind = Notification.Kind
TEN_MINUTES, AN_HOUR, A_DAY = timedelta(minutes=10), timedelta(hours=1), timedelta(days=1)
HOME = "https://blog.example"
COMMAND = [BASE / ".venv/bin/python", BASE / "manage.py", "send_mail_due"]


@pytest.fixture
def server(settings):
    with MailServer() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, PATIENCE
        settings.ORIGINS = [HOME, "https://www.blog.example"]
        settings.ALLOWED_HOSTS = ["blog.example", "testserver"]
        yield server


@pytest.fixture
def person(person):
    """People here have confirmed their addresses, but for those who have not."""
    create = person

    def make(username, verified=True, **fields):
        made = create(username, **fields)
        EmailAddress.objects.create(user=made, email=made.email, verified=verified, primary=True)
        return made

    return make


@pytest.fixture
def thread(person):
    return person("thread", display_name="A day at the sea")


@pytest.fixture
def sources(person):
    return [person(f"source{n}") for n in range(8)]


def passes(span):
    """Let ``span`` (timedelta) pass for all that waits."""
    Notification.objects.update(mail_at=F("mail_at") - span)
    EmailDigest.objects.update(built_at=F("built_at") - span, due_at=F("due_at") - span)


def text(mail):
    return mail.get_body(("plain",)).get_content()


def html(mail):
    return mail.get_body(("html",)).get_content()


def test_what_is_not_read_in_ten_minutes_is_mailed_once(server, alice, bob, thread, sources):
    notify(Kind.REPLY, [alice], thread=thread, source=sources[0], by=bob)
    passes(TEN_MINUTES - timedelta(seconds=5))
    assert send_due() == {} and server.mails == []
    passes(timedelta(seconds=5))
    assert send_due() == {"sent": 1}
    [told] = server.mails
    assert told["To"] == "alice@example.org" and told["Subject"] == "[Parley] bob replied in A day at the sea"
    assert told["From"] == django_settings.DEFAULT_FROM_EMAIL and told["Auto-Submitted"] == "auto-generated"
    assert told["Precedence"] == "bulk" and told["Message-ID"].endswith("@blog.example>")
    assert told["List-Unsubscribe"].strip() == f"<{unsubscribing(alice)}>"
    assert told["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = f"{HOME}/people/source0/"
    for body in (text(told), html(told)):
        assert "bob replied in A day at the sea" in body and link in body and unsubscribing(alice) in body
        assert "testserver" not in body and f"{HOME}/accounts/preferences/" in body
    for _ in range(3):
        passes(A_DAY)
        assert send_due() == {} and len(server.mails) == 1


def test_what_was_read_or_taken_back_meanwhile_is_not_mailed(server, alice, bob, carol, thread, sources):
    notify(Kind.REPLY, [alice, carol], thread=thread, source=sources[0], by=bob)
    notify(Kind.MENTION, [alice], thread=thread, source=sources[1], by=bob)
    read(alice, thread)
    Notification.objects.filter(person=alice).first().unread()  # seen, and put back for later: that is no news
    withdraw_notifications(sources[0])
    passes(A_DAY)
    assert send_due() == {} and server.mails == []


def test_what_was_read_while_the_letter_waited_is_not_mailed(server, alice, bob, carol, thread, sources):
    notify(Kind.REPLY, [alice, carol], thread=thread, source=sources[0], by=bob)
    notify(Kind.REPLY, [alice], thread=sources[7], source=sources[1], by=bob)
    passes(TEN_MINUTES)
    EmailDigest.build_due()
    read(alice, sources[7])
    read(carol, thread)
    assert send_due() == {"sent": 1, "needless": 1}
    [told] = server.mails
    assert told["To"] == alice.email and told["Subject"] == "[Parley] bob replied in A day at the sea"


def test_nobody_is_mailed_who_does_not_want_it_or_may_not_be(server, person, alice, bob, carol, thread, sources):
    dora, eve = person("dora", verified=False), person("eve")
    frank, grace = person("frank", mail=Person.Mail.OFF), person("grace")
    everybody = [alice, carol, dora, eve, frank, grace]
    notify(Kind.MENTION, everybody, thread=thread, source=sources[0], by=bob)
    passes(TEN_MINUTES)
    EmailDigest.build(grace)
    Mute.make(alice, thread)
    Ignore.make(carol, bob)
    Person.objects.filter(pk=eve.pk).update(is_active=False)
    Person.objects.filter(pk=grace.pk).update(mail=Person.Mail.OFF)
    assert set(send_due()) == {"needless"} and server.mails == []
    EmailAddress.objects.update(verified=True)  # and from now on, not back to the beginning
    Person.objects.update(mail=Person.Mail.BUNDLED, is_active=True)
    passes(A_DAY)
    assert send_due() == {} and server.mails == []
    notify(Kind.MENTION, [dora], thread=thread, source=sources[1], by=bob)
    passes(TEN_MINUTES)
    assert send_due() == {"sent": 1} and server.addressees == ["dora@example.org"]


def test_a_bundle_has_all_that_is_unread_and_the_next_comes_four_hours_later(server, alice, crowd, thread, sources):
    for by in crowd:
        notify(Kind.REPLY, [alice], thread=thread, source=by, by=by)
    notify(Kind.MENTION, [alice], thread=thread, source=sources[1], by=crowd[0])
    notify(Kind.COMMENT, [alice], thread=sources[7], source=sources[2], by=crowd[1])
    passes(TEN_MINUTES)
    assert send_due() == {"sent": 1}
    [first] = server.mails
    assert first["Subject"] == "[Parley] Ana commented on your post source7, and 2 more"
    for body in (text(first), html(first)):
        for sentence in ("Li, Ana and 4 others replied in A day", "Li mentioned you in A day at the sea"):
            assert sentence in body

    notify(Kind.MENTION, [alice], thread=thread, source=sources[3], by=crowd[2])
    passes(TEN_MINUTES)
    notify(Kind.POST, [alice], thread=sources[6], source=sources[6], by=crowd[3])
    passes(TEN_MINUTES)
    assert send_due() == {}
    passes(4 * AN_HOUR - 2 * TEN_MINUTES - timedelta(minutes=1))
    assert send_due() == {} and len(server.mails) == 1
    passes(timedelta(minutes=1))
    assert send_due() == {"sent": 1}
    assert server.mails[1]["Subject"] == "[Parley] Cy published source6, and 1 more"
    assert "replied" not in text(server.mails[1])
    passes(A_DAY)
    assert send_due() == {}


def test_what_joins_a_row_that_was_mailed_is_mailed_and_no_stream_of_answers_puts_it_off(
    server, alice, crowd, thread, sources
):
    for by in crowd[:3]:
        notify(Kind.REPLY, [alice], thread=thread, source=by, by=by)
        passes(TEN_MINUTES / 2)
    assert send_due() == {"sent": 1}
    assert server.mails[0]["Subject"] == "[Parley] Li, Ana and Bo replied in A day at the sea"
    notify(Kind.REPLY, [alice], thread=thread, source=crowd[3], by=crowd[3])
    passes(4 * AN_HOUR)
    assert send_due() == {"sent": 1}
    assert server.mails[1]["Subject"] == "[Parley] Li, Ana and 2 others replied in A day at the sea"
    withdraw_notifications(crowd[0])  # less is no news
    passes(A_DAY)
    assert send_due() == {}


def test_at_once_means_mentions_and_messages_and_the_rest_in_bundles(server, alice, bob, thread, sources):
    Person.objects.filter(pk=alice.pk).update(mail=Person.Mail.AT_ONCE)
    notify(Kind.REPLY, [alice], thread=thread, source=sources[0], by=bob)
    passes(TEN_MINUTES)
    assert send_due() == {"sent": 1}
    for n, kind in enumerate([Kind.MENTION, Kind.MESSAGE, Kind.REPLY], 1):
        notify(kind, [alice], thread=sources[7], source=sources[n], by=bob)
        assert send_due() == {}
        passes(TEN_MINUTES)
        send_due()
    _reply, mention, message = server.mails
    assert mention["Subject"] == "[Parley] bob mentioned you in source7" and mention["Precedence"] is None
    assert message["Subject"] == "[Parley] bob sent you a message"
    passes(4 * AN_HOUR)
    assert send_due() == {"sent": 1}
    assert server.mails[3]["Subject"] == "[Parley] bob replied in source7" and server.mails[3]["Precedence"] == "bulk"


def test_daily_means_one_a_day(server, alice, bob, thread, sources):
    Person.objects.filter(pk=alice.pk).update(mail=Person.Mail.DAILY)
    for n in range(5):
        notify(Kind.MENTION, [alice], thread=thread, source=sources[n], by=bob)
        passes(AN_HOUR)
        send_due()
    assert len(server.mails) == 1
    passes(20 * AN_HOUR)
    assert send_due() == {"sent": 1}
    assert server.mails[1]["Subject"] == "[Parley] bob mentioned you in A day at the sea, and 3 more"


def test_a_mail_is_in_the_language_of_its_receiver_with_the_times_of_their_place(server, person, bob, thread, sources):
    li = person("li", display_name="李", language="zh-hans", time_zone="Asia/Shanghai")
    notify(Kind.REPLY, [li], thread=thread, source=sources[0], by=bob)
    notify(Kind.MENTION, [li], thread=thread, source=sources[1], by=bob)
    Notification.objects.update(at=datetime(2026, 11, 21, 20, 5, tzinfo=UTC))
    passes(TEN_MINUTES)
    send_due()
    [told] = server.mails
    assert told["Subject"].strip().startswith("[Parley] bob") and told["Subject"].endswith("，另有 1 条通知")
    assert "李，你好！" in text(told) and "2026年11月22日 04:05" in text(told)
    assert '<html lang="zh-hans">' in html(told) and "李，你好！" in html(told) and "不再接收邮件" in html(told)


def test_hostile_words_stay_words(server, person, alice, sources, monkeypatch):
    eve = person("eve", display_name="Eve\r\nBcc: bob@example.org\r\n\r\n<script>alert(1)</script>")
    trap = person("trap", display_name="<b>&\u2028\x08-- \nX-Evil: yes")
    excerpt = "<img src=x onerror=alert(1)>\n\nNo more mails: https://evil.example/"
    monkeypatch.setattr(Person, "excerpt", excerpt, raising=False)
    notify(Kind.REPLY, [alice], thread=trap, source=sources[0], by=eve)
    passes(TEN_MINUTES)
    assert send_due() == {"sent": 1}
    [told] = server.mails
    assert told["Bcc"] is None and told["X-Evil"] is None and len(server.addressees) == 1
    sentence = "Eve Bcc: bob@example.org <script>alert(1)</script> replied in <b>& -- X-Evil: yes"
    assert told["Subject"] == f"[Parley] {sentence}" and sentence in text(told).splitlines()
    assert "<script" not in html(told) and "&lt;script&gt;alert(1)&lt;/script&gt;" in html(told)
    assert "&lt;b&gt;&amp; -- X-Evil" in html(told) and "<img" not in html(told)
    assert "> <img src=x onerror=alert(1)> No more mails: https://evil.example/" in text(told).splitlines()


# Unsubscribing


def path(person):
    return unsubscribing(person).removeprefix(HOME)


def test_one_click_ends_the_mails_without_a_cookie_or_a_token(server, alice, bob, thread, sources):
    notify(Kind.MENTION, [alice, bob], thread=thread, source=sources[0], by=thread)
    passes(TEN_MINUTES)
    EmailDigest.build_due()
    program = Client(enforce_csrf_checks=True)
    answer = program.post(path(alice), {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200 and not answer.cookies
    assert Person.objects.get(pk=alice.pk).mail == "off" and Person.objects.get(pk=bob.pk).mail == "bundled"
    send_due()
    assert server.addressees == [bob.email]  # alice's digest was on its way already


def test_who_follows_the_link_finds_a_button_and_whoever_only_looks_changes_nothing(server, alice, person):
    li = person("li", language="zh-hans")
    browser = Client(enforce_csrf_checks=True)
    browser.head(path(alice))
    page = browser.get(path(alice))
    assert page.status_code == 200 and b"Send me no more mails</button>" in page.content
    assert b"alice" not in page.content.replace(path(alice).encode(), b"")
    assert "no-store" in page["Cache-Control"]
    assert Person.objects.get(pk=alice.pk).mail == "bundled"
    assert b"You get no more mails" in browser.post(path(alice)).content
    assert Person.objects.get(pk=alice.pk).mail == "off"
    page = browser.get(path(li))
    assert "不要再给我发邮件".encode() in page.content and page["Content-Language"] == "zh-hans"


def test_nobody_ends_the_mails_of_others(server, alice, bob):
    browser = Client()
    forged = path(alice).replace(f"/{alice.pk}:", f"/{bob.pk}:")
    for address in (forged, "/unsubscribe/1/", f"/unsubscribe/{alice.pk}:x/", path(alice)[:-2] + "/"):
        assert browser.get(address).status_code == browser.post(address).status_code == 404
    assert not Person.objects.filter(mail="off").exists()
    assert browser.put(path(alice)).status_code == 405


def test_the_link_in_a_mail_ends_mails_for_sixty_days_and_then_leads_to_the_preferences(server, alice):
    def link_of(days_ago):
        written = f"{alice.pk}:{b62_encode(int(time.time() - days_ago * 86_400))}"
        return f"/unsubscribe/{Signer(salt=signer.salt).sign(written)}/"

    browser = Client()
    for link in (link_of(61), "/unsubscribe/x/"):
        for answer in (browser.get(link), browser.post(link, {"List-Unsubscribe": "One-Click"})):
            assert answer.status_code == 404 and b'href="/accounts/preferences/"' in answer.content
            assert b"This link is not complete, or older than 60 days." in answer.content
    assert Person.objects.get(pk=alice.pk).mail == "bundled"
    assert browser.post(link_of(59), {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert Person.objects.get(pk=alice.pk).mail == "off"


# A mail server that fails, and processes that die


def test_an_address_that_is_refused_holds_up_nobody_and_gets_its_mail_later(server, alice, bob, carol, thread, sources):
    server.refusals = {bob.email: "450 greylisted"}
    for person in (bob, alice, carol):
        notify(Kind.MENTION, [person], thread=thread, source=sources[0], by=thread)
    passes(TEN_MINUTES)
    assert send_due() == {"sent": 2, "refused": 1}
    assert sorted(server.addressees) == [alice.email, carol.email]
    passes(timedelta(seconds=50))
    assert send_due() == {}
    passes(timedelta(seconds=10))
    assert send_due() == {"refused": 1}
    server.refusals = {}
    passes(timedelta(minutes=1))
    assert send_due() == {}  # the second pause is longer
    passes(timedelta(minutes=1))
    assert send_due() == {"sent": 1} and server.addressees[2:] == [bob.email]


def test_what_comes_while_a_letter_waits_is_not_lost_and_not_told_twice(server, alice, crowd, thread, sources):
    server.refusals = {alice.email: "550 no such user"}
    notify(Kind.REPLY, [alice], thread=thread, source=sources[0], by=crowd[0])
    passes(TEN_MINUTES)
    assert send_due() == {"refused": 1}
    notify(Kind.REPLY, [alice], thread=thread, source=sources[1], by=crowd[1])
    notify(Kind.MENTION, [alice], thread=thread, source=sources[2], by=crowd[2])
    passes(TEN_MINUTES)
    assert send_due() == {"refused": 1} and EmailDigest.objects.count() == 1
    server.refusals = {}
    passes(AN_HOUR)
    assert send_due() == {"sent": 1}
    assert server.mails[0]["Subject"] == "[Parley] Li and Ana replied in A day at the sea"
    passes(4 * AN_HOUR)
    assert send_due() == {"sent": 1}
    assert server.mails[1]["Subject"] == "[Parley] Bo mentioned you in A day at the sea"


def test_an_address_that_is_refused_for_five_days_is_given_up(server, alice, bob, thread, sources):
    server.refusals = {alice.email: "550 no such user"}
    notify(Kind.MENTION, [alice], thread=thread, source=sources[0], by=bob)
    passes(TEN_MINUTES)
    send_due()
    passes(timedelta(days=4))
    assert send_due() == {"refused": 1} and EmailDigest.objects.exists()
    passes(A_DAY)
    assert send_due() == {"refused": 1} and not EmailDigest.objects.exists()
    assert Notification.objects.unread().filter(person=alice).exists()  # in the inbox it stays


def test_a_server_that_is_down_delays_everything_and_loses_nothing(server, alice, bob, carol, thread, sources):
    notify(Kind.MENTION, [alice, bob, carol], thread=thread, source=sources[0], by=thread)
    passes(TEN_MINUTES)
    server.__exit__()
    assert send_due() == {"unreachable": 1} and send_due() == {}
    passes(6 * A_DAY)
    with pytest.raises(CommandError, match="cannot be reached"):
        call_command("send_mail_due")
    server.__enter__()
    passes(AN_HOUR)
    call_command("send_mail_due")
    assert sorted(server.addressees) == [alice.email, bob.email, carol.email]
    passes(A_DAY)
    call_command("send_mail_due")
    assert len(server.mails) == 3


def test_a_mail_that_cannot_be_written_holds_up_nobody(server, alice, bob, thread, sources, caplog):
    notify(Kind.MENTION, [alice], thread=thread, source=sources[0], by=thread)
    notify(Kind.MENTION, [bob], thread=thread, source=sources[0], by=thread)
    Person.objects.filter(pk=alice.pk).update(time_zone="Nowhere/At_all")
    passes(TEN_MINUTES)
    assert send_due() == {"sent": 1, "refused": 1} and server.addressees == [bob.email]
    assert "cannot be written" in caplog.text
    Person.objects.filter(pk=alice.pk).update(time_zone="")
    passes(AN_HOUR)
    assert send_due() == {"sent": 1}


def command(server):
    """A process of its own that sends what is due in this test's database."""
    address = f"sqlite:///{django_settings.DATABASES['default']['NAME']}"
    env = environment(DATABASE_URL=address, EMAIL_URL=server.url, ORIGINS=HOME, ALLOWED_HOSTS="blog.example")
    return subprocess.Popen(COMMAND, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.django_db(transaction=True)
def test_several_processes_send_each_letter_once(server, person, thread, sources):
    people = [person(f"reader{n}") for n in range(30)]
    for n, source in enumerate(sources[:3]):
        tell_in_transaction(people, thread, source, Kind.MENTION if n else Kind.REPLY)
    passes(TEN_MINUTES)
    processes = [command(server) for _ in range(3)]
    said = [process.communicate(timeout=PATIENCE)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert sorted(server.addressees) == sorted(one.email for one in people)
    assert len({mail["Message-ID"] for mail in server.mails}) == 30


@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_killed_while_it_sends_loses_nothing_and_a_repetition_can_be_known(
    server, alice, bob, thread, sources
):
    tell_in_transaction([alice, bob], thread, sources[0], Kind.MENTION)
    passes(TEN_MINUTES)
    server.silent = True
    process = command(server)
    until(lambda: server.mails or process.poll() is not None)
    assert process.poll() is None, process.stdout.read()
    process.kill()
    process.communicate()
    server.silent = False
    assert send_due() == {"sent": 1}  # the other one; the first may be under way still
    EmailDigest.objects.update(due_at=F("due_at") - TEN_MINUTES)
    assert send_due() == {"sent": 1}
    first, other, again = server.mails
    assert {first["To"], other["To"]} == {alice.email, bob.email}
    assert again["To"] == first["To"] and again["Message-ID"] == first["Message-ID"] != other["Message-ID"]
    passes(A_DAY)
    assert send_due() == {}


@pytest.mark.django_db(transaction=True)
def test_what_is_told_while_others_pack_and_send_stands_in_one_mail(server, settings, person, thread):
    settings.MAIL_DELAY = 0
    readers = [person(f"reader{n}", mail=Person.Mail.AT_ONCE) for n in range(3)]
    sources = [person(f"source{n}") for n in range(20)]

    def telling(some):
        for source in some:
            tell_in_transaction(readers, thread, source, Kind.MENTION)

    def sending(until):
        while not until() or EmailDigest.is_any_due():
            send_due()

    def closing(job, argument):
        try:
            job(argument)
        finally:
            connections.close_all()

    with ThreadPoolExecutor() as pool:
        tellers = [pool.submit(closing, telling, sources[n::2]) for n in range(2)]
        told = partial(all_done, tellers)
        for one in [*tellers, *(pool.submit(closing, sending, told) for _ in range(3))]:
            one.result(PATIENCE)
    for reader in readers:
        mails = " ".join(text(mail) for mail in server.mails if mail["To"] == reader.email)
        assert sorted(re.findall(r"/people/(source\d+)/", mails)) == sorted(one.username for one in sources)


def all_done(futures):
    return all(one.done() for one in futures)


def tell_in_transaction(people, thread, source, kind):
    with transaction.atomic():
        notify(kind, people, thread=thread, source=source, by=thread)


def test_without_a_mail_server_mails_are_printed(alice, bob, thread, sources):
    notify(Kind.MENTION, [alice], thread=thread, source=sources[0], by=bob)
    passes(TEN_MINUTES)
    assert send_due() == {"sent": 1} and len(mail.outbox) == 1

"""What the log holds, through the site's own handler: what should be looked at, and nothing that opens a door."""

import logging
import re
import subprocess
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings as django_settings
from django.test import Client
from django.urls import URLPattern, get_resolver, path
from parley.logs import KEY, Formatter, Sparing

from harness.servers import BASE, environment
from parley import urls
from people.models import Person

SECRETS = {"token", "key", "uidb36"}  # names of the parts of addresses that are keys


def broken(request):
    raise RuntimeError("a fault of ours")


def also_broken(request):
    raise RuntimeError("another fault of ours")


urlpatterns = [path("broken/", broken), path("also-broken/", also_broken), *urls.urlpatterns]
handler500 = urls.handler500


@pytest.fixture
def clock():
    """The time (seconds) that the handler goes by: a list with one number."""
    return [0]


@pytest.fixture
def log(clock):
    """What the site's handler writes (StringIO), if nothing was said before."""
    [console] = [handler for handler in logging.root.handlers if handler.name == "console"]
    stream, filters = console.setStream(StringIO()), console.filters
    console.filters = [Sparing(clock=lambda: clock[0])]
    yield console.stream
    console.filters = filters
    console.setStream(stream)


@pytest.fixture
def stranger(db, settings):
    settings.ROOT_URLCONF = __name__
    return Client(raise_request_exception=False)


def test_a_fault_is_told_with_its_traceback_once_and_then_counted(log, clock, stranger):
    for _ in range(50):
        assert stranger.get("/broken/").status_code == 500
    said = log.getvalue()
    assert said.count("Traceback") == 1 and said.count("RuntimeError: a fault of ours") == 1
    assert said.count("Internal Server Error: /broken/") == 10
    clock[0] = 61
    stranger.get("/broken/")
    assert log.getvalue().count("Traceback") == 2 and "and 40 more since the last minute" in log.getvalue()


def test_each_fault_has_a_traceback_of_its_own(log, stranger):
    for _ in range(3):
        stranger.get("/broken/")
        stranger.get("/also-broken/")
    assert log.getvalue().count("Traceback") == 2
    assert "another fault of ours" in log.getvalue()


def test_what_strangers_ask_for_in_vain_is_not_told(log, db, settings):
    stranger = Client(raise_request_exception=False)
    answers = [stranger.get("/nothing/"), stranger.get("/posts/a%00b/"), stranger.get("/inbox/read/")]
    answers += [stranger.put("/"), stranger.get("/admin/nothing/")]
    assert [answer.status_code for answer in answers] == [404, 400, 302, 405, 302]
    assert log.getvalue() == ""


def test_a_refusal_that_an_owner_may_have_caused_is_told_on_few_lines(log, db):
    for n in range(100):
        assert Client().get("/", HTTP_HOST=f"wrong{n}.example").status_code == 400
        assert (
            Client(enforce_csrf_checks=True).post("/accounts/login/", HTTP_ORIGIN="https://x.example").status_code
            == 403
        )
    lines = log.getvalue().splitlines()
    assert len(lines) == 20 and "wrong0.example" in log.getvalue() and "Traceback" not in log.getvalue()
    assert "https://x.example does not match any trusted origins" in log.getvalue()


def test_a_record_is_one_line_and_has_an_end(log):
    logging.getLogger("django.request").error("a\nb\r\x1b[31m\u2028 %s", "x" * 100_000)
    [line] = log.getvalue().split("\n")[:-1]
    assert r"a\nb\r\x1b[31m\u2028" in line and len(line) < 1100
    try:
        raise ValueError("y" * 100_000)
    except ValueError:
        logging.getLogger("asyncio").exception("z")
    assert len(log.getvalue()) < 11_000


def test_a_place_that_is_not_told_of_costs_no_memory():
    sparing = Sparing()
    for n in range(5000):
        sparing.filter(logging.LogRecord(f"name{n}", logging.INFO, "file", 1, "x", (), None))
    assert len(sparing.said) <= 1000


# Keys in addresses


def routes(patterns, before=""):
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield before + str(pattern.pattern), set(pattern.pattern.regex.groupindex)
        else:
            yield from routes(pattern.url_patterns, before + str(pattern.pattern))


def test_no_address_with_a_key_is_logged_with_it():
    keyed = [route for route, names in routes(get_resolver().url_patterns) if names & SECRETS]
    assert len(keyed) == 3
    formatter = Formatter("{message}", style="{")
    for route in keyed:
        start = re.split(r"<|\(\?P", "/" + route.replace("^", ""))[0]
        for text in (
            f"Gone: {start}3-s3cret:key/",
            f'"GET {start}s3cret HTTP/1.1"',
            f"https://x.example{start}s3cret?a=1",
        ):
            record = logging.LogRecord("x", logging.ERROR, "file", 1, "%s", (text,), None)
            assert "s3cret" not in formatter.format(record) and start in formatter.format(record)


def test_nginx_leaves_out_the_same():
    paths = re.search(r"\(\?:[^)]*\)", KEY.pattern)[0]
    assert (BASE / "deploy/nginx.conf").read_text().count(f"/{paths}/") == 2  # in addresses, and where one came from


# Mails


def test_without_a_mail_server_the_log_tells_of_a_mail_but_not_its_link(log, db, settings):
    settings.EMAIL_BACKEND = "parley.mail.Unsent"
    alice = Person.objects.create_user("alice", "alice@example.org", "zanzibar-9-x")
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    assert Client().post("/accounts/password/reset/", {"email": alice.email}).status_code == 302
    [line] = log.getvalue().splitlines()
    assert "not sent to alice@example.org: [Parley]" in line and "EMAIL_URL" in line and "http" not in line


@pytest.mark.parametrize(
    "env, said",
    [
        ({}, "parley.mail.Unsent"),
        ({"EMAIL_URL": ""}, "parley.mail.Unsent"),
        ({"DEBUG": "1"}, "django.core.mail.backends.console.EmailBackend"),
        ({"EMAIL_URL": "smtp://mail.example"}, "django.core.mail.backends.smtp.EmailBackend"),
        ({"EMAIL_URL": "mail.example:25"}, "EMAIL_URL begins with smtp://"),
    ],
)
def test_mails_are_printed_for_developers_alone(tmp_path, env, said):
    ask = "from django.conf import settings; print(settings.EMAIL_BACKEND)"
    command = [BASE / ".venv/bin/python", "-c", f"import sys; sys.path.insert(0, {str(BASE)!r}); {ask}"]
    env = environment(DJANGO_SETTINGS_MODULE="parley.settings", VAR=tmp_path, **env)
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True)
    assert said in done.stdout + done.stderr


# What is written down


def test_nobody_else_on_the_machine_reads_the_database_or_the_key(tmp_path):
    def modes():
        return {file.name: file.stat().st_mode & 0o777 for file in var.iterdir()} | {"": var.stat().st_mode & 0o777}

    var = tmp_path / "var"
    env = environment(VAR=var, SECRET_KEY=None) | {"DJANGO_SETTINGS_MODULE": "parley.settings"}
    env.pop("SECRET_KEY", None)
    touch = "import django; django.setup(); from django.db import connection as c; k = c.cursor(); k.execute('{}')"
    look = "; import os; from django.conf import settings; print(sorted(os.listdir(settings.VAR)))"

    def run(sql):
        command = [BASE / ".venv/bin/python", "-c", touch.format(sql) + look]
        return subprocess.run(command, env=env, cwd=BASE, capture_output=True, text=True, check=True, umask=0o022)

    assert "parley.sqlite3-wal" in run("CREATE TABLE a (b)").stdout
    assert modes() == {"": 0o700, "parley.sqlite3": 0o600, "secret_key": 0o600}
    (var / "parley.sqlite3").chmod(0o644)  # as an earlier version left it
    (var / "secret_key").chmod(0o644)
    (var / "parley.sqlite3-wal").touch(0o644)
    var.chmod(0o755)  # for a web server, which reads static files and media
    key = (var / "secret_key").read_text()
    run("SELECT 1")
    assert set(modes().values()) == {0o600, 0o755} and (var / "secret_key").read_text() == key
    assert django_settings.FILE_UPLOAD_PERMISSIONS == 0o644  # what a web server serves

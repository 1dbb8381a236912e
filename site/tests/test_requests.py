"""Requests that no browser of ours sends are refused in words, and before anything is asked of a database."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from people.models import Person

pytestmark = pytest.mark.django_db
REFUSED = b"That was not understood."
FORM = "application/x-www-form-urlencoded"
PART = b'--edge\r\nContent-Disposition: form-data; name="body"\r\n\r\nx\r\n--edge--\r\n'


@pytest.fixture
def stranger():
    return Client()


@pytest.mark.parametrize(
    "request_",
    [
        {"path": "/posts/a%00b/"},
        {"path": "/people/%00/"},
        {"path": "/media/%00"},
        {"path": "/admin/posts/post/a%00b/change/"},
        {"path": "/", "query_params": {"page": "\0"}},
        {"path": "/", "query_params": {"\0": "1"}},
        {"path": "/", "query_params": {"q": "x" * 9000}},
        {"path": "/accounts/login/", "query_params": {"next": "http://[::"}},
        {"path": "/", "headers": {"User-Agent": "a\0b"}},
        {"path": "/", "query_params": {"title__regex": "("}},
        {"path": "/inbox/", "headers": {"HX-Request": "false", "HX-Current-URL": "http://[::"}},
        {"path": "/inbox/", "headers": {"HX-Prompt": "%00", "HX-Prompt-URI-AutoEncoded": "true"}},
        {"path": "/", "headers": {"Content-Type": "text/html; charset=utf-7"}},
    ],
    ids=str,
)
def test_what_is_no_text_is_refused_unread(stranger, request_):
    stranger.cookies.clear()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = stranger.get(**request_)
    assert answer.status_code == 400 and REFUSED in answer.content
    assert not [query for query in queries if "posts_post" in query["sql"] or "session" in query["sql"]]


@pytest.mark.parametrize("name", ["sessionid", "django_language", "csrftoken", "dismissed", "messages"])
def test_a_broken_cookie_is_none(stranger, name):
    assert stranger.get("/", headers={"Cookie": f'{name}="\\000"'}).status_code == 200


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "base64", "rot13", "undefined", "idna", "latin-1"])
@pytest.mark.parametrize("kind", [FORM, "multipart/form-data; boundary=edge"])
def test_a_form_in_another_encoding_is_refused(stranger, charset, kind):
    body = b"body=x" if kind == FORM else PART
    answer = stranger.generic("POST", "/accounts/login/", body, f"{kind}; charset={charset}")
    assert answer.status_code == 400 and REFUSED in answer.content


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "no-such"])
def test_a_form_in_ours_is_read(stranger, charset):
    answer = stranger.generic("POST", "/complete/?field=x", b"body=%40a", f"{FORM}; charset={charset}")
    assert answer.status_code == 200


@pytest.mark.parametrize("length", ["-1", "x", "9" * 5000, "1.5"])
@pytest.mark.parametrize("kind", [FORM, "multipart/form-data; boundary=edge"])
def test_a_length_that_is_none_is_refused(stranger, length, kind):
    answer = stranger.post("/complete/", PART, content_type=kind, CONTENT_LENGTH=length)
    assert answer.status_code in (400, 404)


def test_who_reads_chinese_is_told_in_chinese(stranger):
    for headers in ({"Accept-Language": "zh-CN"}, {"Cookie": "django_language=zh-hans"}):
        assert "无法识别该请求。".encode() in stranger.get("/posts/a%00b/", headers=headers).content
    wrong = {"Accept-Language": "zh-CN", "Host": "wrong.example"}  # refused by the first of all middlewares
    assert "无法识别该请求。".encode() in stranger.get("/", headers=wrong).content


def test_htmx_is_told_beside_what_was_typed(stranger):
    answer = stranger.post("/complete/?field=%00", {"body": "x"}, headers={"HX-Request": "true"})
    assert answer.status_code == 400 and answer["HX-Reswap"] == "none" and b'id="notice"' in answer.content


@pytest.mark.parametrize(
    "body, said",
    [
        ({f"field{n}": "1" for n in range(1001)}, b"too many fields: at most 1000"),
        ({"body": "x" * 1_000_001}, "at most 976.6\xa0KB".encode()),
    ],
    ids=["fields", "characters"],
)
@pytest.mark.parametrize("kind", ["plain", "htmx"])
def test_who_meets_a_limit_is_told_which(stranger, body, said, kind):
    text = "&".join(f"{name}={value}" for name, value in body.items())
    headers = {"HX-Request": "true"} if kind == "htmx" else {}
    answer = stranger.post("/accounts/login/", text, content_type=FORM, headers=headers)
    assert answer.status_code == 400 and said in answer.content


def test_too_many_files_are_told(stranger):
    parts = b"".join(
        b'--edge\r\nContent-Disposition: form-data; name="f%d"; filename="f"\r\n\r\nx\r\n' % n for n in range(101)
    )
    answer = stranger.post("/accounts/login/", parts + b"--edge--", content_type="multipart/form-data; boundary=edge")
    assert answer.status_code == 400 and b"too many files: at most 100" in answer.content


@pytest.mark.parametrize("key", [2**63, 2**64, 10**30, "9" * 4300, "9" * 5000])
@pytest.mark.parametrize(
    "address", ["/comments/{}/", "/rooms/{}/messages/", "/own/{}.css", "/rooms/messages/{}/", "/media/{}"]
)
def test_an_id_that_no_row_can_have_is_missing(stranger, address, key):
    assert stranger.get(address.format(key)).status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "posts/post/?published_at__year=99999999999",
        "posts/post/?published_at__year=0",
        "posts/post/?published_at__iso_year=-1",
        f"posts/post/?author={10**30}",
        "posts/post/add/?tags=x",
        "posts/post/add/?published_at=99999-1-1",
        "inbox/announcement/add/?ends=x",
    ],
)
def test_what_fits_no_date_or_number_is_refused_in_the_admin(address):
    root = Person.objects.create_superuser("root", "root@example.org", "zanzibar-9-x")
    browser = Client(raise_request_exception=False)
    browser.force_login(root, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert browser.get(f"/admin/{address}").status_code in (200, 302, 400)  # nothing found, or refused
    assert browser.get(f"/admin/{address.partition('?')[0]}").status_code == 200

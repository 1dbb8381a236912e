"""Signing up, signing in, and what strangers learn at the door."""

import re

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.contrib.auth import hashers
from django.contrib.auth.hashers import MD5PasswordHasher, PBKDF2PasswordHasher
from django.utils.html import strip_tags

from people.models import Person
from people.tests.browsers import Browser
from people.tests.conftest import PASSWORD

SIGN_UP = {"username": "new", "email": "new@example.org", "password1": PASSWORD, "password2": PASSWORD}
ELSEWHERE = ["https://evil.example/", "//evil.example/", "///evil.example", "/\\evil.example", "https:evil.example"]
ELSEWHERE += ["javascript:alert(1)", "http://testserver@evil.example/", "\thttps://evil.example", "data:text/html,x"]


def words(page):
    """What a page says (str), without what differs from one to the next request or repeats what was typed."""
    text = re.sub(r'value="[^"]*"', "", page.content.decode())
    return re.sub(r"\s+", " ", strip_tags(text))


# The same for those who are known and those who are not


@pytest.mark.parametrize("unknown, known", [("nobody", "bob"), ("nobody@example.org", "bob@example.org")])
def test_a_wrong_sign_in_says_the_same_to_all(bob, unknown, known):
    pages = [Browser().sign_in(login, "wrong") for login in (unknown, known)]
    assert [page.status_code for page in pages] == [200, 200]
    assert words(pages[0]) == words(pages[1])


def test_an_address_signs_in_once_it_is_confirmed_and_tells_of_nobody_before(bob):
    """Somebody signs up with the address of another, to see whether they can sign in with it."""
    bob.emailaddress_set.create(email=bob.email, verified=True, primary=True)
    for name, email in (("mallet", "nobody@example.org"), ("malice", "bob@example.org")):
        Browser().post(
            "/accounts/signup/",
            SIGN_UP | {"username": name, "email": email, "password1": "my-own-12345", "password2": "my-own-12345"},
        )
        assert Browser().sign_in(name, "my-own-12345").status_code == 302
    pages = [Browser().sign_in(email, "my-own-12345") for email in ("nobody@example.org", "bob@example.org")]
    assert [page.status_code for page in pages] == [200, 200]
    assert words(pages[0]) == words(pages[1])
    assert Browser().sign_in("bob@example.org").status_code == Browser().sign_in("BOB@Example.org").status_code == 302
    Person.objects.get(username="mallet").emailaddress_set.update(verified=True)
    assert Browser().sign_in("nobody@example.org", "my-own-12345").status_code == 302


@pytest.mark.parametrize("own", ["bob@example.org", "bob@nowhere"])
def test_an_address_that_nobody_confirmed_takes_one_hash_whatever_accounts_have_it(person, own):
    """Counted, not timed: how many passwords are hashed for one that is wrong."""
    for n in range(5):
        other = person(f"other{n}")
        Person.objects.filter(pk=other.pk).update(email=own)
        other.emailaddress_set.create(email=own, verified=False)
    counted = []
    hashed = MD5PasswordHasher.encode
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MD5PasswordHasher, "encode", lambda *arguments: counted.append(1) or hashed(*arguments))
        Browser().sign_in(own, "wrong")
    assert len(counted) == 1


def test_a_reset_says_the_same_to_all_and_writes_to_all(bob, mailoutbox):
    pages = [
        Browser().post("/accounts/password/reset/", {"email": email}, follow=True)
        for email in ("nobody@example.org", "bob@example.org")
    ]
    assert words(pages[0]) == words(pages[1])
    assert [mail.to for mail in mailoutbox] == [["nobody@example.org"], ["bob@example.org"]]


@pytest.mark.parametrize("verification", ["optional", "mandatory"])
def test_signing_up_with_an_address_that_has_an_account_says_nothing_of_it(bob, settings, verification, mailoutbox):
    settings.ACCOUNT_EMAIL_VERIFICATION = verification
    pages = [
        Browser().post("/accounts/signup/", SIGN_UP | {"username": name, "email": email}, follow=True)
        for name, email in (("new", "new@example.org"), ("now", "bob@example.org"))
    ]
    said = [words(page).replace("now", "new").replace("bob@", "new@") for page in pages]
    assert said[0] == said[1]
    assert [mail.to for mail in mailoutbox] == [["new@example.org"], ["bob@example.org"]]
    assert Person.objects.filter(email="bob@example.org").exclude(pk=bob.pk).exists() is (verification == "optional")


@pytest.fixture
def hashing(settings, monkeypatch):
    """``hashing(function)``: with production's hasher, how many rounds (int) the passwords in it are hashed.

    They are nearly all of the time that signing in and up takes.
    """
    settings.PASSWORD_HASHERS = settings.REAL_HASHERS
    pbkdf2, rounds = hashers.pbkdf2, []

    def counting(password, salt, iterations, *rest, **keywords):
        rounds.append(iterations)
        return pbkdf2(password, salt, iterations, *rest, **keywords)

    monkeypatch.setattr(hashers, "pbkdf2", counting)

    def hashing(function):
        rounds.clear()
        function()
        return sum(rounds)

    return hashing


@pytest.mark.parametrize("unknown, known", [("nobody", "bob"), ("nobody@example.org", "bob@example.org")])
def test_unknown_names_take_as_long_as_known_ones(bob, hashing, unknown, known):
    bob.set_password(PASSWORD)
    bob.save()
    rounds = [hashing(lambda login=login: Browser().sign_in(login, "wrong")) for login in (unknown, known)]
    assert rounds[0] == rounds[1] >= PBKDF2PasswordHasher.iterations


def test_a_taken_address_takes_as_long_when_it_must_be_confirmed(bob, settings, hashing):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    names = iter(range(1000))

    def sign_up(email):
        n = next(names)
        Browser().post("/accounts/signup/", SIGN_UP | {"username": f"new{n}", "email": email.format(n)})

    rounds = [hashing(lambda email=email: sign_up(email)) for email in ("new{}@example.org", "bob@example.org")]
    assert rounds[0] == rounds[1] >= PBKDF2PasswordHasher.iterations


# Where it leads


@pytest.mark.parametrize("address", ELSEWHERE)
def test_next_stays_on_this_host(bob, address):
    assert Browser().sign_in("bob", next=address).url == "/"
    browser = Browser(bob)
    assert browser.post("/accounts/logout/", {"next": address}).url == "/"
    assert browser.post("/language/", {"language": "en", "next": address}).url == "/"


def test_next_leads_back_to_the_page_before(bob):
    page = Browser().get("/accounts/profile/")
    assert page.url == "/accounts/login/?next=/accounts/profile/"
    assert Browser().sign_in("bob", next="/accounts/profile/").url == "/accounts/profile/"


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
def test_a_wrong_host_is_refused(db, client, header):
    for host in (
        "evil.example",
        "testserver.evil.example",
        "testserver:80@evil.example",
        "a b",
        "testserver, evil.example",
    ):
        assert client.get("/accounts/login/", headers={header: host}).status_code == 400, host
    for host in ("testserver", "testserver:8000"):
        assert client.get("/accounts/login/", headers={header: host}).status_code == 200, host


def test_mails_lead_to_the_configured_host_and_not_to_that_of_the_request(bob, settings, mailoutbox):
    settings.ALLOWED_HOSTS = ["other.example"]
    settings.ORIGINS = ["https://blog.example:8443", "https://other.example"]
    browser = Browser(headers={"Host": "other.example"})
    for email in ("bob@example.org", "nobody@example.org"):
        browser.post("/accounts/password/reset/", {"email": email})
    browser.post("/accounts/signup/", SIGN_UP)
    for mail in mailoutbox:
        assert "https://blog.example:8443/accounts/" in mail.body and "other.example" not in mail.body
        assert mail.subject.startswith("[Parley] ")
    assert len(mailoutbox) == 3


def test_a_mail_is_in_the_language_of_its_receiver(bob, mailoutbox):
    bob.language = "zh-hans"
    bob.save()
    Browser(headers={"Accept-Language": "en"}).post("/accounts/password/reset/", {"email": bob.email})
    assert "重置" in mailoutbox[0].body


def test_a_mail_server_that_is_down_harms_nobody(bob, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    pages = [
        Browser().post("/accounts/password/reset/", {"email": email}, follow=True)
        for email in ("nobody@example.org", bob.email)
    ]
    assert words(pages[0]) == words(pages[1]) and pages[0].status_code == 200
    assert Browser().post("/accounts/signup/", SIGN_UP).status_code == 302
    assert Person.objects.filter(username="new").exists()


# Addresses


def test_a_new_address_counts_once_it_is_confirmed(bob, mailoutbox):
    bob.emailaddress_set.create(email=bob.email, verified=True, primary=True)
    browser = Browser(bob)
    confirm(browser, browser.post("/accounts/email/", {"action_add": "", "email": "bob@elsewhere.example"}))
    bob.refresh_from_db()
    assert bob.email == "bob@example.org"
    assert "bob@elsewhere.example" in browser.get("/accounts/email/").content.decode()
    [link] = [re.search(r"/accounts/confirm-email/\S+/", mail.body) for mail in mailoutbox if "elsewhere" in mail.to[0]]
    browser.post(link[0])
    bob.refresh_from_db()
    assert bob.email == "bob@elsewhere.example"
    assert list(bob.emailaddress_set.values_list("email", "verified")) == [("bob@elsewhere.example", True)]


def test_an_address_that_was_never_confirmed_gives_way_at_once(bob):
    browser = Browser(bob)
    confirm(browser, browser.post("/accounts/email/", {"action_add": "", "email": "bob@elsewhere.example"}))
    bob.refresh_from_db()
    assert bob.email == "bob@elsewhere.example"


def test_a_borrowed_session_can_neither_change_the_address_nor_carry_the_data_away(bob, mailoutbox):
    bob.emailaddress_set.create(email=bob.email, verified=True, primary=True)
    browser = Browser(bob)
    tries = [
        browser.post("/accounts/email/", {"action_add": "", "email": "thief@elsewhere.example"}),
        browser.post("/accounts/email/", {"action_remove": "", "email": "bob@example.org"}),
        browser.get("/accounts/2fa/totp/activate/"),
        browser.get("/accounts/export/"),
    ]
    for answer in tries:
        assert answer.status_code == 302 and answer.url.startswith("/accounts/reauthenticate/")
        assert "Password" in browser.post(answer.url, {"password": "guessed"}).content.decode()
    assert browser.post("/accounts/password/change/", {"password1": "x", "password2": "x"}).status_code == 200
    assert not mailoutbox and list(bob.emailaddress_set.values_list("email", flat=True)) == ["bob@example.org"]
    answer = confirm(browser, browser.get("/accounts/export/"))
    assert answer["Content-Disposition"].startswith("attachment")


# Two factors


def code(totp):
    secret = totp.instance.data["secret"]
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def confirm(browser, page):
    """Give the password once more where ``page`` leads."""
    return browser.post(page.url, {"password": PASSWORD}, follow=True)


def test_two_factors_are_turned_on_with_a_picture_that_needs_no_script(bob):
    browser = Browser(bob)
    page = confirm(browser, browser.get("/accounts/2fa/totp/activate/"))
    html = page.content.decode()
    assert 'class="qr" src="data:image/svg+xml;base64,' in html
    assert "img-src 'self' data:" in page.headers["Content-Security-Policy"]
    secret = page.context["form"].secret
    counter = next(iter(yield_hotp_counters_from_time()))
    answer = browser.post("/accounts/2fa/totp/activate/", {"code": format_hotp_value(hotp_value(secret, counter))})
    codes = browser.get(answer.url).content.decode()
    assert codes.count("<code>") == 10
    assert "<script" not in codes.replace('<script src="/static/js/htmx-ws.js" defer>', "")


def test_the_admin_too_asks_for_the_second_factor(root):
    totp = TOTP.activate(root, "JBSWY3DPEHPK3PXP")
    browser = Browser()
    assert browser.get("/admin/").url.startswith("/admin/login/")
    assert "/accounts/login/" in browser.get("/admin/login/?next=/admin/").url
    first = browser.sign_in("root", next="/admin/")
    assert first.url.startswith("/accounts/2fa/authenticate/")
    assert browser.get("/admin/").status_code == 302  # the password alone opens nothing
    assert browser.post("/admin/login/", {"username": "root", "password": PASSWORD}).status_code == 302
    assert browser.get("/admin/").status_code == 302
    wrong = browser.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert wrong.status_code == 200 and 'role="alert"' in wrong.content.decode()
    assert browser.post("/accounts/2fa/authenticate/", {"code": code(totp)}).url == "/admin/"
    assert browser.get("/admin/").status_code == 200


def test_a_recovery_code_opens_once(bob):
    TOTP.activate(bob, "JBSWY3DPEHPK3PXP")
    codes = RecoveryCodes.activate(bob).get_unused_codes()
    for status in (302, 200):
        browser = Browser()
        browser.sign_in("bob")
        assert browser.post("/accounts/2fa/authenticate/", {"code": codes[0]}).status_code == status


def test_the_admin_refuses_people_who_are_no_editors(bob):
    assert Browser(bob).get("/admin/login/").status_code == 403

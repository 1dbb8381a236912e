"""How often one may try to sign in: nobody guesses for long, and nobody is locked out by others who guess."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import signing
from parley.settings import RATES_OF

from people.attempts import COOKIE
from people.models import Person
from people.rates import RateLimit
from people.tests.browsers import Browser
from people.tests.conftest import PASSWORD

HOME, ELSEWHERE = "198.51.100.7", "192.0.2.1"


@pytest.fixture(autouse=True)
def limited(settings):
    assert RATES_OF["sign-in"]["name"] == [(100, 3600)]  # here fewer, for the tests' sake
    settings.RATES_OF = RATES_OF | {"sign-in": RATES_OF["sign-in"] | {"name": [(12, 3600)]}}


class Counting(MD5PasswordHasher):
    """Says how often it was asked to hash."""

    algorithm = "counting"
    hashed = 0

    def encode(self, *arguments, **keywords):
        Counting.hashed += 1
        return super().encode(*arguments, **keywords)


@pytest.fixture
def hashes(settings):
    """``hashes(function)``: how many passwords were hashed while ``function()`` ran (int)."""
    settings.PASSWORD_HASHERS = [f"{__name__}.Counting"]

    def count(function):
        before = Counting.hashed
        function()
        return Counting.hashed - before

    return count


def attempt(name, password="guess", peer=ELSEWHERE, browser=None, **claims):
    return (browser or Browser()).post(
        "/accounts/login/", {"login": name, "password": password}, REMOTE_ADDR=peer, headers=claims
    )


def guess(name, peer=ELSEWHERE, **more):
    """Try a wrong password. → whether one was told to come back later"""
    answer = attempt(name, peer=peer, **more)
    told = re.search(r"Too many wrong sign-ins. Try again in (\d+) s.", answer.content.decode())
    assert bool(told) == (answer.status_code == 429) == ("Retry-After" in answer.headers)
    assert answer.status_code == 429 or "are not correct" in answer.content.decode()
    return bool(told)


def confirm(person, email=None):
    EmailAddress.objects.create(user=person, email=email or person.email, verified=True, primary=True)


# How much guessing


def test_five_guesses_at_a_name_are_allowed_from_an_address(bob):
    assert [guess("bob") for n in range(7)] == [False] * 5 + [True] * 2
    assert not guess("carol")


def test_one_address_guesses_ten_times_at_whatever_names_and_claims(db):
    for n in range(6):
        Person.objects.create_user(f"person{n}")
    told = [
        guess(f"person{n}", **{"X-Forwarded-For": f"203.0.113.{n}", "X-Real-IP": f"203.0.113.{n}"}) for n in range(12)
    ]
    assert told == [False] * 10 + [True] * 2
    assert not guess("person0", "192.0.2.2")


def test_sign_ins_from_an_ipv6_network_count_as_from_a_single_address(bob):
    assert [guess("bob", f"2001:db8:0:1::{n:x}") for n in range(7)] == [False] * 5 + [True] * 2


def test_behind_our_proxy_its_word_counts(db, settings):
    settings.LIVE = settings.LIVE | {"REAL_IP_HEADER": "X-Real-IP"}
    settings.ALLAUTH_TRUSTED_CLIENT_IP_HEADER = "X-Real-IP"
    for n in range(12):
        assert not guess(f"person{n}", **{"X-Real-IP": f"203.0.113.{n}"})


@pytest.mark.parametrize("name", ["bob", "bob@example.org", "nobody", "BOB"])
def test_guessing_from_everywhere_at_one_name_is_bounded(bob, name):
    confirm(bob)
    assert [guess(name, f"192.0.2.{n}") for n in range(14)] == [False] * 12 + [True] * 2
    assert not guess("carol", "192.0.2.99")


def test_an_address_and_a_username_of_one_account_count_together(bob):
    confirm(bob)
    assert [guess(name) for name in ("bob", "bob@example.org") * 3] == [False] * 5 + [True]


def test_a_right_password_does_not_count_and_does_not_wipe_what_was_counted(bob, carol):
    for _ in range(4):
        guess("bob")
    for _ in range(12):
        assert attempt("carol", PASSWORD).status_code == 302
    assert [guess("bob") for _ in range(2)] == [False, True]


def test_what_was_typed_as_a_name_is_not_kept(db):
    guess("zanzibar-9-x")
    assert RateLimit.objects.exists() and not RateLimit.objects.filter(key__contains="zanzibar").exists()


# Who is locked out


def lock(name):
    """Let strangers at many addresses guess, until nobody unknown may try ``name`` any more."""
    addresses = iter(range(100))
    while not guess(name, f"203.0.113.{next(addresses)}"):
        pass


def test_strangers_lock_nobody_out_who_was_there_before(bob):
    laptop = Browser()
    assert attempt("bob", PASSWORD, HOME, laptop).status_code == 302
    laptop.post("/accounts/logout/")
    assert COOKIE in laptop.cookies and not laptop.is_signed_in
    lock("bob")
    assert attempt("bob", PASSWORD, "198.51.100.99").status_code == 429  # a new browser at a new place has to wait
    assert attempt("bob", PASSWORD, "198.51.100.99", laptop).status_code == 302  # the laptop, wherever it is


def test_strangers_lock_out_no_new_browser_at_a_known_address(bob):
    attempt("bob", PASSWORD, HOME)
    lock("bob")
    assert attempt("bob", PASSWORD, HOME).status_code == 302


def test_a_neighbour_at_the_same_address_locks_out_no_known_browser(bob):
    laptop = Browser()
    attempt("bob", PASSWORD, HOME, laptop)
    laptop.post("/accounts/logout/")
    while not guess("bob", HOME):
        pass
    while not guess("somebody", HOME):
        pass
    assert attempt("bob", PASSWORD, HOME, laptop).status_code == 302


def test_a_known_browser_guesses_no_more_than_others(bob):
    laptop = Browser()
    attempt("bob", PASSWORD, HOME, laptop)
    laptop.post("/accounts/logout/")
    told = [guess("bob", f"192.0.2.{n}", browser=laptop) for n in range(7)]
    assert told == [False] * 5 + [True] * 2


def test_a_known_browser_is_known_for_its_own_accounts_only_and_cannot_be_made_up(bob, carol):
    laptop = Browser()
    attempt("carol", PASSWORD, HOME, laptop)
    laptop.post("/accounts/logout/")
    made_up = Browser()
    made_up.cookies[COOKIE] = signing.dumps([bob.pk], key="a guess", salt=COOKIE)
    lock("bob")
    for browser in (laptop, made_up):
        assert attempt("bob", PASSWORD, "198.51.100.99", browser).status_code == 429


def test_bob_signed_in_confirms_his_password_whoever_guesses(bob):
    browser = Browser()
    attempt("bob", PASSWORD, HOME, browser)
    lock("bob")
    page = browser.get("/accounts/delete/", REMOTE_ADDR=HOME)
    assert browser.post(page.url, {"password": PASSWORD}, REMOTE_ADDR=HOME).url == "/accounts/delete/"


def test_a_password_reset_by_mail_lets_bob_in(bob, mailoutbox):
    while not guess("bob", HOME):
        pass
    lock("bob")
    phone = Browser()
    phone.post("/accounts/password/reset/", {"email": bob.email}, REMOTE_ADDR=HOME)
    link = re.search(r"/accounts/password/reset/key/\S+", mailoutbox[-1].body)[0]
    form = phone.get(link, REMOTE_ADDR=HOME).url
    new = {"password1": "sansibar-9-y", "password2": "sansibar-9-y"}
    assert phone.post(form, new, REMOTE_ADDR=HOME).status_code == 302
    assert attempt("bob", "sansibar-9-y", HOME).status_code == 302


def test_the_refusal_is_in_the_language_of_the_reader(bob):
    for _ in range(5):
        guess("bob")
    page = attempt("bob", **{"Accept-Language": "zh-hans"}).content.decode()
    assert re.search(r"登录失败次数过多，请 \d+ 秒后再试。", page) and 'value="bob"' in page


# What an attempt costs


@pytest.mark.parametrize("email", ["many@example.org", "none@example.org", "bob@example.org"])
def test_an_attempt_costs_one_hash_however_many_accounts_claim_the_address(bob, hashes, email):
    for n in range(40):
        claimant = Person.objects.create_user(f"claimant{n}", "many@example.org", PASSWORD)
        EmailAddress.objects.create(user=claimant, email="many@example.org", primary=True)
    bob.set_password(PASSWORD)
    bob.save()
    confirm(bob)
    assert hashes(lambda: attempt(email)) == hashes(lambda: attempt("claimant7")) == hashes(lambda: attempt("no")) == 1
    assert hashes(lambda: attempt("bob@example.org", PASSWORD)) == hashes(lambda: attempt("bob", PASSWORD)) == 1


def test_refused_attempts_cost_no_hash(bob, hashes):
    while not guess("bob"):
        pass
    assert hashes(lambda: guess("bob")) == 0


def test_an_address_signs_in_only_the_person_who_confirmed_it(bob, carol):
    Person.objects.filter(pk=carol.pk).update(email=bob.email)
    carol.refresh_from_db()
    carol.set_password("carols-own-7")
    carol.save()
    EmailAddress.objects.create(user=carol, email=bob.email, primary=True)
    for password in (PASSWORD, "carols-own-7"):
        answer = attempt(bob.email, password)
        assert answer.status_code == 200 and "once it is confirmed" in answer.content.decode()
    confirm(bob)
    assert attempt(bob.email.upper(), "carols-own-7").status_code == 200
    laptop = Browser()
    assert attempt(bob.email.upper(), PASSWORD, browser=laptop).status_code == 302
    assert "/people/bob/" in laptop.get("/").content.decode()

"""How often one may: exactly so often, whoever asks, and wherever from."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.test import RequestFactory
from django.utils import timezone, translation

from people.client_info import client_info
from people.models import Person
from people.rates import RateLimit, TooFast, check_rate, consume, forget, is_hurried, refund

TABLE = {"say": {"person": [(3, 100), (5, 1000)], "new": [(1, 100)], "address": [(6, 100)]}}


@pytest.fixture(autouse=True)
def limited(settings):
    settings.RATES_OF = TABLE


@pytest.fixture(autouse=True)
def old_friends(bob, carol):
    Person.objects.update(date_joined=timezone.now() - timedelta(days=2))
    for person in (bob, carol):
        person.refresh_from_db()


def say(person, address="192.0.2.1"):
    with transaction.atomic():
        consume("say", person, address)


def wait(person, address="192.0.2.1"):
    """How long (int, seconds) ``person`` is asked to wait; 0 if not at all."""
    try:
        check_rate("say", person, address)
    except TooFast as refusal:
        return refusal.seconds
    return 0


def later(seconds):
    """Let it be so many ``seconds`` later: what was spent is longer ago."""
    for row in RateLimit.objects.all():
        row.times = [one - seconds for one in row.times]
        row.last_at -= timedelta(seconds=seconds)
        row.save()


def test_one_more_than_the_limit_is_refused_until_the_first_is_long_enough_ago(bob):
    for _ in range(3):
        assert not wait(bob)
        say(bob)
    with pytest.raises(TooFast) as refusal:
        say(bob)
    assert refusal.value.status == 429 and 0 < refusal.value.seconds <= 100
    later(refusal.value.seconds)
    say(bob)


def test_all_limits_hold_together(bob):
    for _ in range(2):
        for _ in range(3 - bool(RateLimit.objects.exists())):
            say(bob)
        later(101)
    assert 700 < wait(bob) <= 1000


def test_a_new_account_has_limits_of_its_own(bob):
    bob.date_joined = timezone.now()
    say(bob)
    assert wait(bob)


def test_many_people_of_one_address_share_its_limit_and_no_other_does(bob, carol):
    for person in (bob, carol, bob, carol, bob, carol):
        say(person)
    dan = Person.objects.create_user("dan", date_joined=timezone.now() - timedelta(days=2))
    assert wait(dan) and not wait(dan, "192.0.2.2")


def test_an_ipv6_network_counts_as_a_single_address(bob, carol):
    for n, person in enumerate((bob, carol) * 3):
        say(person, f"2001:db8:0:1::{n:x}")
    dan = Person.objects.create_user("dan", date_joined=timezone.now() - timedelta(days=2))
    assert wait(dan, "2001:db8:0:1:ffff::1") and not wait(dan, "2001:db8:0:2::1")


def test_what_is_refused_or_rolled_back_costs_nothing(bob):
    for _ in range(3):
        with pytest.raises(RuntimeError), transaction.atomic():
            consume("say", bob, "192.0.2.1")
            raise RuntimeError
    for _ in range(3):
        say(bob)
    for _ in range(5):
        with pytest.raises(TooFast):
            say(bob)
    later(101)
    assert not wait(bob)


def test_what_is_given_back_does_not_count_and_nothing_else_is_given_back(bob):
    counted = []
    for _ in range(3):
        with transaction.atomic():
            counted.append(consume("say", bob, "192.0.2.1"))
    refund("say", counted[1], bob, "192.0.2.1")
    refund("say", counted[1], bob, "192.0.2.1")
    assert [row.times for row in RateLimit.objects.all()] == [[counted[0], counted[2]]] * 2
    say(bob)
    assert wait(bob)


def test_what_the_house_does_is_not_limited(bob):
    for _ in range(10):
        with transaction.atomic():
            consume("say", bob)
    assert not RateLimit.objects.exists() and not wait(bob)


def test_nobody_known_and_further_things_are_counted(settings):
    settings.RATES_OF = {"say": {"address": [(3, 100)], "place": [(2, 100)], "person": [(1, 100)]}}

    def shout(place, address="192.0.2.1"):
        with transaction.atomic():
            consume("say", AnonymousUser(), address, place=place)

    shout("here")
    shout("here")
    with pytest.raises(TooFast):
        shout("here", "192.0.2.2")
    shout("there")
    with pytest.raises(TooFast):
        shout("elsewhere")
    assert {row.key for row in RateLimit.objects.all()} == {"address 192.0.2.1", "place here", "place there"}


def test_what_is_cheap_is_counted_by_the_cache(bob, carol, settings, django_assert_num_queries):
    settings.RATES_OF = {"look": {"person": [(3, 10_000)]}}
    with django_assert_num_queries(0):
        looked = [is_hurried("look", bob) for _ in range(5)]
        assert looked in ([False] * 3 + [True] * 2, [False] * 5)  # should a new span have begun meanwhile
        assert not is_hurried("look", carol) and not is_hurried("say", bob)


def test_nothing_is_spent_outside_of_a_transaction(transactional_db):
    dan = Person.objects.create_user("dan")
    with pytest.raises(transaction.TransactionManagementError):
        consume("say", dan, "192.0.2.1")


def test_a_clock_set_back_locks_nobody_out(bob):
    for _ in range(3):
        say(bob)
    later(-10_000)
    assert 0 < wait(bob) <= 100


def test_what_has_no_limits_is_free(bob, settings):
    settings.RATES_OF = {}
    for _ in range(100):
        say(bob)
    assert not RateLimit.objects.exists()


def test_rows_are_forgotten_when_they_count_no_more(bob, carol):
    say(bob)
    later(3 * 24 * 3600)
    say(carol, "192.0.2.2")
    forget()
    assert set(RateLimit.objects.values_list("key", flat=True)) == {f"person {carol.pk}", "address 192.0.2.2"}


def test_the_sentence_says_for_how_long(bob):
    for _ in range(3):
        say(bob)
    with pytest.raises(TooFast) as refusal:
        say(bob)
    n = refusal.value.seconds
    assert refusal.value.messages == [f"You are posting too fast. Try again in {n} s."]
    with translation.override("zh-hans"):
        assert refusal.value.messages == [f"发送过快，请 {n} 秒后再试。"]


def test_an_address_is_believed_from_our_own_proxy_only(settings):
    claims = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.8", "Forwarded": "for=203.0.113.7"}
    request = RequestFactory().get("/", headers=claims, REMOTE_ADDR="192.0.2.1")
    assert client_info(request).address == "192.0.2.1"
    settings.LIVE = settings.LIVE | {"REAL_IP_HEADER": "X-Real-IP"}
    assert client_info(request).address == "203.0.113.8"


def test_odd_addresses_are_borne(bob):
    for n, address in enumerate(["", "unknown", "x" * 500, "::ffff:192.0.2.1", "fe80::1%eth0"]):
        say(Person.objects.create_user(f"dan{n}"), address)

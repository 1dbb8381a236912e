"""How often one may try to sign in: allauth counts; where from is said by the same rule as everywhere."""

from django.test import Client

from people.models import Person


def guess(name, peer="192.0.2.1", **claims):
    """Try a wrong password. → whether one was told to come back later"""
    form = {"login": name, "password": "guess"}
    answer = Client().post("/accounts/login/", form, REMOTE_ADDR=peer, headers=claims)
    return answer.status_code == 429 or "Too many failed login attempts" in answer.content.decode()


def test_one_name_is_guessed_at_five_times_wherever_from(bob):
    assert [guess("bob", f"192.0.2.{n}") for n in range(7)] == [False] * 5 + [True] * 2


def test_one_address_guesses_ten_times_at_whatever_names_and_claims(db):
    for n in range(12):
        Person.objects.create_user(f"person{n}")
    told = [
        guess(f"person{n}", **{"X-Forwarded-For": f"203.0.113.{n}", "X-Real-IP": f"203.0.113.{n}"}) for n in range(12)
    ]
    assert told == [False] * 10 + [True] * 2
    assert not guess("person0", "192.0.2.2")


def test_behind_our_proxy_its_word_counts(db, settings):
    settings.ALLAUTH_TRUSTED_CLIENT_IP_HEADER = "X-Real-IP"
    for n in range(12):
        assert not guess(f"person{n}", **{"X-Real-IP": f"203.0.113.{n}"})

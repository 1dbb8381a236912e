"""What a page is told that asks over HTTP, for its socket tells it nothing."""

import pytest
from django.contrib.auth import get_user_model
from django.http import QueryDict

from live import views
from live.cursors import Cursor
from live.streams import name_of
from live.tests.conftest import Table


@pytest.fixture
def ask(client, lamp, settings):
    """``ask(*cursors, **more)``: the answer to a page that says so."""
    views.buckets.clear()
    settings.LIVE = {"LIMITED": True}

    def ask(*cursors, language="en", **more):
        said = {cursor.signed: str(cursor.tick) for cursor in cursors}
        return client.get("/live/", said | {"language": language} | more, headers={"HX-Request": "true"})

    return ask


def at(thing, tick):
    return Cursor(name_of(thing), tick)


def test_nothing_moved_is_answered_with_nothing(lamp, ask):
    lamp.write("on")
    answer = ask(at(lamp, 1), at(Table(), 0))
    assert (answer.status_code, answer.content) == (204, b"")
    assert "no-store" in answer["Cache-Control"]


def test_what_was_missed_of_each_stream_is_told_and_moves_the_cursors(lamp, ask):
    lamp.write("one")
    lamp.write("two")
    answer = ask(at(lamp, 1), at(Table(), 0)).content.decode()
    assert "TWO" in answer and "ONE" not in answer
    assert f'id="{at(lamp, 0).element_id}" name="{at(lamp, 0).signed}" value="2"' in answer
    assert 'id="live"' not in answer


def test_a_page_that_hears_nothing_gets_a_new_socket_with_its_own_cursors(lamp, ask):
    lamp.write("one")
    answer = ask(at(lamp, 0), silent="on", whispers=at(lamp, 0).signed, language="zh-hans").content.decode()
    socket = answer[answer.index('<div id="live"') : answer.index("</form>")]
    assert f'name="{at(lamp, 0).signed}" value="0"' in socket  # what follows moves it
    assert 'name="language" value="zh-hans"' in socket
    assert "pauseOnBackground" not in socket
    assert f'"whisper": "{at(lamp, 0).signed}"' in answer
    assert answer.index('id="live"') < answer.index("ONE")


def test_one_whose_right_ended_hears_farewell_and_no_more_of_that_stream(lamp, ask):
    lamp.write("secret")
    lamp.private = True
    answer = ask(at(lamp, 0), at(Table(), 0), silent="on").content.decode()
    assert "farewell" in answer and "SECRET" not in answer
    assert at(lamp, 0).signed not in answer
    assert at(Table(), 0).signed in answer


def test_a_page_of_somebody_else_is_told_so_and_nothing_else(lamp, ask, client):
    alice, bob = (get_user_model().objects.create_user(name, f"{name}@parley.example") for name in ("alice", "bob"))
    client.force_login(bob, backend="allauth.account.auth_backends.AuthenticationBackend")
    lamp.write("on")
    assert ask(at(bob, 0)).status_code == 204
    answer = ask(at(alice, 0), at(lamp, 0), silent="on").content.decode()
    assert 'id="notice"' in answer and 'class="ended"' in answer
    assert "ON<" not in answer and 'id="live"' not in answer


@pytest.mark.parametrize(
    "said",
    [
        "live.lamp:1=0",
        "live.lamp:1:forged=0",
        "=0",
        "{signed}=-1",
        "{signed}=1.5",
        "{signed}=",
        "{signed}=1234567890123456789",
        "{signed}=%EF%BC%91x",
        "whispers=live.lamp:1",
        "language=en&language=x&csrfmiddlewaretoken=x",
    ],
)
def test_what_no_page_says_is_refused_and_ends_the_asking(lamp, ask, client, said):
    answer = client.get("/live/?" + said.format(signed=at(lamp, 0).signed))
    assert answer.status_code == 400
    assert b'id="notice"' in answer.content and b'class="ended"' in answer.content


def test_a_page_shows_only_so_many_streams(ask):
    assert ask(*(at(Table(n), 0) for n in range(20))).status_code == 204
    assert ask(*(at(Table(n), 0) for n in range(21))).status_code == 422  # the only status of refusals that htmx draws


def test_who_asks_too_often_is_told_later(lamp, ask, settings):
    assert [ask(at(lamp, 0)).status_code for _ in range(views.AGAIN)] == [204] * views.AGAIN
    assert any(ask(at(lamp, 0)).status_code == 429 for _ in range(10_000))  # a slow machine gives some back meanwhile
    settings.LIVE = {"LIMITED": False}
    assert ask(at(lamp, 0)).status_code == 204


def test_what_costs_more_is_had_less_often(lamp, ask):
    def until_refused():
        views.buckets.clear()
        return next(n for n in range(10_000) if ask(at(lamp, 0)).status_code == 429)

    lamp.write("x")
    short = until_refused()
    lamp.write("x" * 20 * views.AGAIN_LENGTH)
    assert until_refused() < short / 3


def test_it_is_counted_for_so_many_people_and_no_more(lamp, ask, monkeypatch):
    monkeypatch.setattr(views, "COUNTED", 1)
    views.buckets["address 10.0.0.1"] = None
    ask(at(lamp, 0))
    assert list(views.buckets) == ["address 127.0.0.1"]


def test_a_page_says_what_is_understood(lamp, ask, client):
    """What stands in ``{% live %}`` is what ``hx-include`` sends."""
    lamp.write("on")
    first = ask(at(lamp, 0), silent="on", whispers=at(lamp, 0).signed).content.decode()
    said = QueryDict(mutable=True)
    for piece in first.split('<input type="hidden"')[1:]:
        tag = piece.partition(">")[0]
        said[tag.split('name="')[1].split('"')[0]] = tag.split('value="')[1].split('"')[0]
    answer = client.get("/live/?" + said.urlencode())
    assert answer.status_code == 204  # the last of its inputs is the delta's cursor

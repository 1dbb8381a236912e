"""A line, and a room, that two edit at once."""

import pytest

from people.models import Person
from people.tests.forms import form_of
from rooms.models import Room

HTMX = {"HX-Request": "true"}


@pytest.fixture
def lobby(alice):
    room = Room(name="The lobby", created_by=alice)
    room.revise()
    return room


def test_the_second_edit_of_a_line_is_told_of_the_first(client, lobby, bob):
    client.force_login(bob)
    line = lobby.say(bob, "One")
    address = f"/rooms/messages/{line.pk}/edit/"
    for headers, status in ((HTMX, 422), ({}, 409)):
        here, there = (form_of(client.get(address, headers=headers), "body") for _ in range(2))
        assert client.post(address, here | {"body": f"Two {status}"}, headers=headers).status_code in (200, 302)
        answer = client.post(address, there | {"body": f"Three {status}"}, headers=headers)
        html = answer.content.decode()
        assert answer.status_code == status and f"Two {status}" in html and f"Three {status}</textarea>" in html
        mine = form_of(answer, "body")
        assert client.post(address, mine | {"theirs": "body"}, headers=headers).status_code in (200, 302)
        line.refresh_from_db()
        assert line.body == f"Two {status}"
        assert client.post(address, mine, headers=headers).status_code in (200, 302)
        line.refresh_from_db()
        assert line.body == f"Three {status}"


def test_a_room_that_two_edit_keeps_what_each_touched(client, lobby):
    root = Person.objects.create_superuser("root", "root@example.org", "zanzibar-9-x")
    client.force_login(root)
    address = f"/admin/rooms/room/{lobby.pk}/change/"
    first, second, third = (form_of(client.get(address), "topic") for _ in range(3))
    assert client.post(address, first | {"archived": "on"}).status_code == 302
    assert client.post(address, second | {"topic": "All and nothing"}).status_code == 302
    lobby.refresh_from_db()
    assert lobby.archived and lobby.topic == "All and nothing"
    answer = client.post(address, third | {"topic": "Nothing at all"})
    assert answer.status_code == 200 and "All and nothing" in answer.content.decode()

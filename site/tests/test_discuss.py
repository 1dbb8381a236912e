"""A room for a post: opened in the admin, linked both ways."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from people.models import Person
from posts.models import Post
from rooms.models import Room


@pytest.fixture
def editor(db, settings):
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    person = Person.objects.create_user("eve", is_staff=True)
    person.groups.add(Group.objects.get(name="Editors"))
    client = Client()
    client.force_login(person)
    client.person = person
    return client


def test_a_room_is_opened_beside_an_article_and_they_know_each_other(editor):
    post, draft = (Post(author=editor.person, title=title, body="The tide is out.") for title in ("A day", "Secret"))
    post.publish()
    draft.revise()
    chosen = {"action": "discuss_live", "_selected_action": [post.pk, draft.pk]}
    for _ in range(2):
        assert editor.post("/admin/posts/post/", chosen).status_code == 302
    room = Room.objects.get()
    reader = Client()
    assert f'href="/rooms/{room.slug}/"' in reader.get("/posts/a-day/").content.decode()
    assert 'href="/posts/a-day/"' in reader.get(f"/rooms/{room.slug}/").content.decode()
    post.unpublish()
    assert 'href="/posts/a-day/"' not in reader.get(f"/rooms/{room.slug}/").content.decode()


def test_a_line_becomes_a_comment_once_with_the_way_back(editor):
    post = Post(author=editor.person, title="A day", body="The tide is out.")
    post.publish()
    editor.post("/admin/posts/post/", {"action": "discuss_live", "_selected_action": [post.pk]})
    room = Room.objects.get()
    said = room.say(Person.objects.create_user("bob"), "It is *in* again")
    editor.person.groups.add(Group.objects.get(name="Moderators"))
    for _ in range(2):
        chosen = {"action": "take_over", "_selected_action": [said.pk]}
        assert editor.post("/admin/rooms/message/", chosen).status_code == 302
    [comment] = post.comments.all()
    assert comment.author == said.author and "It is <em>in</em> again" in comment.html
    assert f'href="/rooms/{room.slug}/#message-{said.pk}"' in comment.html

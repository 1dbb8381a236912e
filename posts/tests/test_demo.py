"""The demo: what a stranger finds after the first start."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from moderation.models import Report
from people.models import Person
from posts.models import Comment, LiveUpdate, Post


@pytest.fixture(autouse=True)
def embedded_database(db, monkeypatch, settings, tmp_path):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    settings.MEDIA_ROOT = tmp_path
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick


def demo(*options):
    said = StringIO()
    call_command("demo", *options, stdout=said)
    return said.getvalue()


def rows():
    return [model.objects.count() for model in (Person, Post, LiveUpdate, Comment)]


def test_there_is_something_to_read_in_both_languages(client):
    demo()
    assert set(Post.objects.listed().values_list("language", flat=True)) == {"en", "zh-hans"}
    assert Post.objects.filter(coverage="live", updates__pinned=True).exists()
    assert LiveUpdate.objects.filter(struck=True).exists()
    for post in Post.objects.listed():
        assert client.get(post.get_absolute_url(), SERVER_NAME="localhost").status_code == 200


def test_a_draft_and_a_scheduled_post_wait_for_their_editors():
    demo()
    waiting = Post.objects.exclude(pk__in=Post.objects.public())
    assert sorted(waiting.values_list("status", flat=True)) == ["draft", "scheduled"]


def test_each_post_counts_the_comments_that_it_shows():
    demo()
    shown = {post.slug: post.comments.filter(state=Comment.State.SHOWN).count() for post in Post.objects.all()}
    assert max(shown.values()) > 15
    assert shown == dict(Post.objects.values_list("slug", "comment_count"))


def test_the_long_thread_shows_what_a_thread_can_be():
    demo()
    thread = Post.objects.get(slug="punctuation").comments
    assert any(comment.is_flat for comment in thread.all())
    assert thread.filter(state=Comment.State.TOMBSTONE).get().answers.exists()
    assert thread.exclude(edited_at=None).get().revisions.exists()


def test_there_is_something_for_the_moderator_to_do():
    demo()
    assert Comment.objects.get(state=Comment.State.WAITING).actions.get().kind == "links"
    assert Report.objects.open().get().target.is_shown


def test_comments_were_written_in_the_order_of_their_ids_and_after_what_they_answer():
    demo()
    comments = list(Comment.objects.order_by("pk").select_related("post", "parent"))
    times = [comment.created_at for comment in comments]
    assert times == sorted(times)
    assert all(comment.created_at > (comment.parent or comment.post).created_at for comment in comments)


def test_every_account_can_sign_in_with_the_password_that_was_printed(client):
    accounts = dict(re.findall(r"^  (\w+) +(\S+)", demo(), re.MULTILINE))
    assert accounts.keys() == {"editor", "author", "moderator", "ana", "tom", "lin"}
    for username, password in accounts.items():
        assert client.login(username=username, password=password)
    assert Person.objects.get(username="editor").is_superuser
    assert Person.objects.get(username="author").has_perm("posts.add_post")
    assert Person.objects.get(username="moderator").has_perm("moderation.moderate")


def test_a_second_run_adds_nothing():
    demo()
    before = rows()
    assert demo("--if-empty") == ""
    with pytest.raises(CommandError, match="empty"):
        demo()
    assert rows() == before


def test_a_house_where_somebody_lives_is_left_alone():
    Person.objects.create_user("alice")
    with pytest.raises(CommandError, match="empty"):
        demo()
    assert rows() == [1, 0, 0, 0]


@pytest.mark.parametrize("options", [[], ["--if-empty"]])
def test_a_database_that_is_in_use_is_never_filled(monkeypatch, options):
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/parley")
    with pytest.raises(CommandError, match="DATABASE_URL"):
        demo(*options)
    assert rows() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "host, hosts, origin",
    [
        ("0.0.0.0", ["localhost"], "http://localhost:8000"),
        ("::", ["localhost"], "http://localhost:8000"),
        ("192.0.2.7", ["localhost"], "http://localhost:8000"),
        ("127.0.0.1", ["*"], "http://localhost:8000"),
        ("127.0.0.1", ["localhost"], "https://blog.example"),
    ],
)
def test_a_site_that_others_reach_gets_no_demo_accounts(monkeypatch, settings, host, hosts, origin):
    monkeypatch.setenv("HOST", host)
    settings.ALLOWED_HOSTS, settings.ORIGINS = hosts, [origin]
    assert "createsuperuser" in demo("--if-empty")
    call_command("demo_rooms")
    with pytest.raises(CommandError, match="others can reach this site"):
        demo()
    assert not any(rows())


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1"])
def test_a_site_on_this_machine_alone_gets_its_demo_accounts(monkeypatch, settings, host):
    monkeypatch.setenv("HOST", host)
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    demo("--if-empty")
    assert Person.objects.filter(username="editor", is_superuser=True).exists()

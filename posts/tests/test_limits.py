"""What one may do to a post or a comment only so often: edit, guess a password, bring a picture."""

import subprocess
import sys
from datetime import timedelta
from io import BytesIO
from textwrap import dedent

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from live.cursors import cursors
from people.models import Person
from people.rates import TooFast
from posts import pictures
from posts.models import Comment, Post
from posts.tests.conftest import CLIENT_INFO

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def nobody_is_new(bob, carol):
    Person.objects.update(date_joined=timezone.now() - timedelta(days=2))
    for person in (bob, carol):
        person.refresh_from_db()


def refused_for(function, *arguments, **keywords):
    """For how long (seconds) ``function`` is refused."""
    with pytest.raises(TooFast) as caught:
        function(*arguments, **keywords)
    return caught.value.seconds


# Edits


def test_edits_are_limited_by_person_and_by_address(post, bob, carol, settings):
    settings.RATES_OF = {"edit": {"person": [(3, 30)], "address": [(4, 30)]}}
    said = post.comment(bob, "helo")
    for n in range(3):
        said.revise(bob, f"hello {n}", CLIENT_INFO)
    [before] = cursors(post)
    assert refused_for(said.revise, bob, "hello again", CLIENT_INFO) <= 30
    assert cursors(post) == [before] and Comment.objects.get(pk=said.pk).body == "hello 2"
    carols = post.comment(carol, "helo")
    carols.revise(carol, "hello", CLIENT_INFO)
    assert refused_for(carols.revise, carol, "hello all", CLIENT_INFO)
    carols.revise(carol, "hello all", CLIENT_INFO._replace(address="192.0.2.2"))


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_edit_too_many_is_refused_with_the_time_to_wait_and_the_text_kept(post, bob, settings, headers):
    settings.RATES_OF = {"edit": {"person": [(1, 60)]}}
    said = post.comment(bob, "helo")
    client = Client(headers=headers)
    client.force_login(bob)
    address = f"/comments/{said.pk}/edit/"
    assert client.post(address, {"body": "hello"}).status_code in (200, 302)
    answer = client.post(address, {"body": "hello all"})
    seconds = answer["Retry-After"]
    assert answer.status_code == (422 if headers else 429) and 55 <= int(seconds) <= 60
    html = answer.content.decode()
    assert "hello all" in html and f"You have done this too often. Try again in {seconds} s." in html
    chinese = client.post(address, {"body": "hello all"}, headers=headers | {"Accept-Language": "zh-hans"})
    assert "操作过于频繁，请" in chinese.content.decode()


def test_edits_tell_no_more_people_than_one_text_names(post, bob, person):
    people = [person(f"p{n}") for n in range(40)]
    said = post.comment(bob, f"hello @{people[0]}")
    for n in range(1, 40, 3):
        said.revise(bob, "hello " + " ".join(f"@{one}" for one in people[n : n + 3]))
    told = [one.username for one in people if one.notifications.visible().exists()]
    assert told == [f"p{n}" for n in range(10)]
    said.revise(bob, f"hello @{people[0]} @{people[39]}")
    assert not people[39].notifications.exists()


def test_what_is_too_fast_is_not_read_for_names(post, bob, carol, settings):
    settings.RATES_OF = {"comment": {"person": [(1, 60)]}, "edit": {"person": [(1, 60)]}}
    said = post.comment(bob, "hello", client_info=CLIENT_INFO)
    said.revise(bob, "hello all", CLIENT_INFO)
    for function, *arguments in ((post.comment, bob, "I say @carol"), (said.revise, bob, "hello @carol")):
        with CaptureQueriesContext(connection) as asked:
            assert refused_for(function, *arguments, client_info=CLIENT_INFO)
        assert not [query for query in asked.captured_queries if "username" in query["sql"].partition("WHERE")[2]]


def test_deleting_again_tells_no_page(post, bob, carol):
    said = post.comment(bob, "hello")
    post.comment(carol, "and hello", said)
    said.remove(bob)
    [before] = cursors(post)
    said.remove(bob)
    assert cursors(post) == [before]


# A post's password


@pytest.fixture
def locked(post):
    post.password = "sesame"
    post.revise()
    return post


def guess(post, password, client=None, peer="192.0.2.1"):
    return (client or Client()).post(f"/posts/{post.slug}/unlock/", {"password": password}, REMOTE_ADDR=peer)


def test_guesses_are_counted_by_address_whatever_the_session(locked, settings):
    settings.RATES_OF = {"unlock": {"address": [(5, 60)], "person": [(5, 60)]}}
    assert [guess(locked, f"guess {n}").status_code for n in range(5)] == [422] * 5
    answer = guess(locked, "sesame")
    assert answer.status_code == 429 and 55 <= int(answer["Retry-After"]) <= 60
    assert f"Too many wrong passwords. Try again in {answer['Retry-After']} s." in answer.content.decode()
    assert guess(locked, "sesame", peer="192.0.2.2").status_code == 302


def test_guesses_are_counted_by_person_whatever_the_address(locked, bob, settings):
    settings.RATES_OF = {"unlock": {"address": [(5, 60)], "person": [(5, 60)]}}
    client = Client()
    client.force_login(bob)
    for n in range(5):
        assert guess(locked, f"guess {n}", client, f"192.0.2.{n}").status_code == 422
    assert guess(locked, "sesame", client, "192.0.2.9").status_code == 429


def test_the_right_password_does_not_count(locked, settings):
    settings.RATES_OF = {"unlock": {"address": [(2, 60)]}}
    for _ in range(5):
        assert guess(locked, "sesame").status_code == 302
    assert [guess(locked, "guess").status_code for _ in range(3)] == [422, 422, 429]


def test_a_new_password_locks_everybody_again(locked, alice):
    other = Post(author=alice, title="Another", body="Another secret", password="sesame")
    other.publish()
    client = Client()
    client.session["unlocked"] = [locked.pk]  # as once
    for post in (locked, other):
        assert "This post asks for a password" in client.get(f"/posts/{post.slug}/").content.decode()
        guess(post, "sesame", client)
    for post in (locked, other):
        assert "This post asks for a password" not in client.get(f"/posts/{post.slug}/").content.decode()
    locked.password = "open"
    locked.revise()
    assert "This post asks for a password" in client.get(f"/posts/{locked.slug}/").content.decode()
    assert "Another secret" in client.get(f"/posts/{other.slug}/").content.decode()
    guess(locked, "open", client)
    assert "This post asks for a password" not in client.get(f"/posts/{locked.slug}/").content.decode()


def test_what_a_session_remembers_does_not_open_another_post(locked, alice):
    """Nor does it say the password."""
    other = Post(author=alice, title="Another", body="Another secret", password="sesame")
    other.publish()
    client = Client()
    guess(locked, "sesame", client)
    assert "Another secret" not in client.get(f"/posts/{other.slug}/").content.decode()
    [kept] = client.session["unlocked_posts"].values()
    assert "sesame" not in kept and kept != other.lock


# Pictures


def picture(format, size, mode="RGB", **options):
    file = BytesIO()
    Image.new(mode, size, "navy").save(file, format, **options)
    return ContentFile(file.getvalue(), "a")


@pytest.mark.parametrize("format, size", [("PNG", (6000, 4001)), ("WEBP", (6000, 4001)), ("JPEG", (10_000, 5001))])
def test_too_many_pixels_are_refused_by_the_header(format, size):
    content = picture(format, size).read()
    if format != "WEBP":  # whose file is looked through to its end, and not unpacked
        content = content[:2000]
    with pytest.raises(ValidationError) as refusal:
        pictures.redrawn(ContentFile(content, "a"))
    assert refusal.value.messages == [
        f"This picture has too many pixels: at most {50 if format == 'JPEG' else 24} million."
    ]


def test_a_file_that_is_too_large_is_refused_unread():
    file = picture("PNG", (10, 10))
    file.size = 10_000_001
    with pytest.raises(ValidationError) as refusal:
        pictures.redrawn(file)
    assert refusal.value.messages == ["This file is too large: at most 10 MB."]


def test_a_photograph_stands_upright_and_is_made_smaller():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    redrawn = pictures.redrawn(picture("JPEG", (6000, 3000), exif=exif))
    with Image.open(redrawn) as image:
        assert image.size == (1000, 2000) and image.format == "WEBP" and not image.getexif()


def test_who_waits_too_long_for_other_pictures_is_told(monkeypatch):
    monkeypatch.setattr(pictures, "WAIT", 0)
    with pictures.turn(), pytest.raises(ValidationError) as refusal:
        pictures.redrawn(picture("PNG", (10, 10)))
    assert "Other pictures are being prepared" in refusal.value.messages[0]
    assert pictures.redrawn(picture("PNG", (10, 10)))


BROKEN = [b"", b"\x89PNG\r\n\x1a\n broken", b"GIF89a", b"<svg>"]


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_picture_gives_its_turn_back(content):
    with pytest.raises(ValidationError):
        pictures.redrawn(ContentFile(content, "a"))
    assert pictures.redrawn(picture("PNG", (10, 10)))


PEAK = """
    import sys, threading
    import django
    django.setup()
    from django.core.files.base import ContentFile
    from posts.pictures import redrawn

    def peak():
        return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])

    content = sys.stdin.buffer.read()
    before = peak()
    redrawn(ContentFile(content, "a"))
    alone = peak() - before
    threads = [threading.Thread(target=redrawn, args=[ContentFile(content, "a")]) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(alone // 1024, (peak() - before) // 1024)
"""


@pytest.mark.parametrize("format, size, most", [("JPEG", (8000, 6200), 150), ("PNG", (5900, 4000), 350)])
def test_six_pictures_at_once_take_the_memory_of_one(format, size, most):
    content = picture(format, size).read()
    done = subprocess.run(
        [sys.executable, "-c", dedent(PEAK)],
        input=content,
        capture_output=True,
        cwd=django_settings.BASE_DIR,
        env={"DJANGO_SETTINGS_MODULE": "parley.settings", "VAR": str(django_settings.VAR)},
        check=True,
    )
    alone, six = map(int, done.stdout.split())
    assert alone < most and six < 1.5 * alone + 30, f"{alone} MB, six at once {six} MB"

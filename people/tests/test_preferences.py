from datetime import UTC, datetime

import pytest
from django.utils import timezone

from live.cursors import cursors
from people.models import DISPLAY_NAMES, Person
from people.tests.browsers import Browser
from people.tests.conftest import PASSWORD

PROFILE = {"display_name": "", "bio": "", "language": "", "time_zone": ""}


def test_a_profile_is_kept_and_shown_safely(bob):
    browser = Browser(bob)
    form = PROFILE | {"display_name": "  Bob  of the\nSea ", "bio": "I **sail**.\r\n\r\n<script>alert(1)</script># no"}
    assert browser.post("/accounts/profile/", form).status_code == 302
    bob.refresh_from_db()
    assert bob.display_name == "Bob of the Sea"
    page = Browser().get("/people/bob/").content.decode()
    assert "<h1>Bob of the Sea</h1>" in page and "<strong>sail</strong>" in page and "&lt;script&gt;" in page


def test_a_refused_profile_keeps_what_was_typed(bob):
    form = PROFILE | {"display_name": "x" * 61, "time_zone": "Mars/Olympus", "bio": "I sail"}
    answer = Browser(bob).post("/accounts/profile/", form)
    page = answer.content.decode()
    assert answer.status_code == 422 and page.count('role="alert"') == 2 and "I sail" in page
    bob.refresh_from_db()
    assert (bob.display_name, bob.time_zone, bob.bio) == ("", "", "")


def test_what_is_no_field_is_ignored(bob, carol):
    more = {"is_staff": "on", "username": "root", "is_active": "", "deleted_at": "2020-01-01", "id": carol.pk}
    browser = Browser(bob)
    browser.post("/accounts/profile/", PROFILE | more)
    browser.post("/accounts/preferences/", {"mail": "off", "display_name": "Bobby"} | more)
    bob.refresh_from_db()
    assert (bob.username, bob.is_staff, bob.is_active, bob.deleted_at) == ("bob", False, True, None)
    assert (bob.mail, bob.display_name) == ("off", "")
    assert Person.objects.get(pk=carol.pk).mail == Person.Mail.BUNDLED


def test_preferences(bob):
    browser = Browser(bob)
    assert bob.mail == "bundled" and not bob.appear_offline
    assert browser.post("/accounts/preferences/", {"mail": "daily", "appear_offline": "on"}).status_code == 302
    bob.refresh_from_db()
    assert bob.mail == "daily" and bob.appear_offline
    assert browser.post("/accounts/preferences/", {"mail": "hourly"}).status_code == 422


def test_a_persons_language_goes_with_them_to_other_browsers(bob):
    english = {"Accept-Language": "en"}
    laptop = Browser(bob, headers=english)
    assert 'lang="en"' in laptop.get("/").content.decode()
    laptop.post("/accounts/profile/", PROFILE | {"language": "zh-hans"})
    phone = Browser(bob, headers=english)
    for browser in (laptop, phone):
        page = browser.get("/")
        assert '<html lang="zh-hans">' in page.content.decode() and page.headers["Content-Language"] == "zh-hans"
    phone.post("/accounts/logout/")
    assert '<html lang="en">' in phone.get("/").content.decode()


def test_the_button_in_the_footer_is_heard_everywhere(bob):
    laptop, phone = Browser(bob), Browser(bob)
    laptop.post("/language/", {"language": "zh-hans", "next": "/"})
    assert '<html lang="zh-hans">' in phone.get("/").content.decode()
    phone.post("/language/", {"language": "xx", "next": "/"})
    bob.refresh_from_db()
    assert bob.language == "zh-hans"
    assert laptop.get("/language/").status_code == 405
    stranger = Browser()
    stranger.post("/language/", {"language": "zh-hans", "next": "/"})
    assert '<html lang="zh-hans">' in stranger.get("/").content.decode()


def test_times_are_those_of_the_persons_zone_and_what_all_see_is_the_same_for_all(bob, person):
    from posts.models import Post

    bob.time_zone = "Asia/Shanghai"
    bob.save()
    browser = Browser(bob)
    bob.usersession_set.update(created_at=datetime(2026, 1, 31, 20, 30, tzinfo=UTC))
    assert "Feb. 1, 2026, 4:30 a.m." in browser.get("/accounts/sessions/").content.decode()

    post = Post(author=person("alice", "Authors"), title="A day at the sea")
    post.publish()
    comment = post.comment(bob, "Hello")
    type(comment).objects.update(created_at=datetime(2026, 1, 31, 20, 30, tzinfo=UTC))
    for one in (browser, Browser()):
        assert "Jan. 31, 2026, 8:30 p.m." in one.get("/posts/a-day-at-the-sea/").content.decode()
    assert timezone.get_current_timezone_name() == "UTC"


def test_account_pages_are_for_the_signed_in(db):
    for name in ("profile", "preferences", "data", "export", "delete", "email", "2fa", "sessions", "password/change"):
        answer = Browser().get(f"/accounts/{name}/")
        assert answer.status_code == 302 and answer.url.startswith("/accounts/login/?next="), name


def test_what_people_say_of_themselves_is_rendered_when_it_is_saved_and_never_when_it_is_read(bob):
    Browser(bob).post("/accounts/profile/", PROFILE | {"bio": "I **sail** with @bob"})
    bob.refresh_from_db()
    assert "<strong>sail</strong>" in bob.bio_html and 'href="/people/bob/"' in bob.bio_html
    Person.objects.filter(pk=bob.pk).update(bio_html="<p>as it was kept</p>")
    assert "<p>as it was kept</p>" in Browser().get("/people/bob/").content.decode()
    Browser(bob).post("/accounts/profile/", PROFILE)
    bob.refresh_from_db()
    assert bob.bio_html == ""


def test_an_editor_of_people_changes_what_is_shown_of_them(bob, root):
    bob.bio = "I *row*"
    bob.save(update_fields=["bio"])
    bob.refresh_from_db()
    assert "<em>row</em>" in bob.bio_html
    bob.delete_account(comments_stay=True)
    assert (bob.bio, bob.bio_html) == ("", "")


# How often


@pytest.mark.parametrize(
    "address, field, texts",
    [
        ("/accounts/profile/", "display_name", ["Bob", "Bobby", "Robert"]),
        ("/accounts/preferences/", "mail", ["off", "daily", "at_once"]),
    ],
)
def test_a_profile_is_changed_only_so_often_and_keeps_what_was_typed(bob, settings, address, field, texts):
    settings.RATES_OF = {"profile": {"person": [(2, 60)]}}
    browser = Browser(bob)
    for text in texts[:2]:
        for _ in range(3):  # again the same is no change
            assert browser.post(address, PROFILE | {field: text}).status_code == 302
    [before] = cursors(DISPLAY_NAMES)
    answer = browser.post(address, PROFILE | {field: texts[2]})
    page = answer.content.decode()
    assert answer.status_code == 429 and 55 <= int(answer["Retry-After"]) <= 60
    assert f"You have done this too often. Try again in {answer['Retry-After']} s." in page
    assert f'value="{texts[2]}"' in page and "Robert</a>" not in page
    bob.refresh_from_db()
    assert getattr(bob, field) == texts[1] and cursors(DISPLAY_NAMES) == [before]


def test_only_what_others_see_drops_the_pages_that_are_kept(bob):
    browser = Browser(bob)
    [before] = cursors(DISPLAY_NAMES)
    browser.post("/accounts/preferences/", {"mail": "off", "appear_offline": "on"})
    browser.post("/accounts/profile/", PROFILE | {"language": "en", "time_zone": "UTC"})
    browser.post("/language/", {"language": "zh-hans"})
    assert cursors(DISPLAY_NAMES) == [before]
    bob.refresh_from_db()
    assert (bob.mail, bob.language, bob.time_zone) == ("off", "zh-hans", "UTC")
    browser.post("/accounts/profile/", PROFILE | {"display_name": "Bobby", "language": "zh-hans", "time_zone": "UTC"})
    assert cursors(DISPLAY_NAMES) != [before]


def test_the_language_is_changed_only_so_often(bob, settings):
    settings.RATES_OF = {"profile": {"person": [(2, 60)]}}
    browser = Browser(bob)
    said = [browser.post("/language/", {"language": code}).status_code for code in ("en", "zh-hans", "zh-hans", "en")]
    assert said == [302, 302, 302, 429]


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_the_export_is_made_only_so_often(bob, settings, headers):
    settings.RATES_OF = {"export": {"person": [(1, 3600)]}}
    browser = Browser(bob)
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert browser.get("/accounts/export/", headers=headers)["Content-Type"] == "application/zip"
    answer = browser.get("/accounts/export/", headers=headers)
    assert answer.status_code == 429 and 3500 < int(answer["Retry-After"]) <= 3600
    assert "You have done this too often" in answer.content.decode()

"""Sessions that end while pages are open, in real browsers."""

import pytest
from playwright.sync_api import expect

from e2e.words import connected, say, show
from people.models import Person

PASSWORD, NEW = "zanzibar-9-x", "amaryllis-4-q"


@pytest.fixture
def bob(site, cast, post):
    """He has a password."""
    with site.orm():
        bob = Person.objects.get(username="bob")
        bob.set_password(PASSWORD)
        bob.save()
    return bob


def sign_in(page, person, password=PASSWORD, then="/"):
    page.goto(f"/accounts/login/?next={then}")
    page.get_by_label("Username or email").fill(person.username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign In").click()


def notice(page):
    return page.locator("#notice")


def test_a_person_shut_out_is_told_why_and_hears_no_more(site, post, cast, bob, open_page):
    root = site.account("root", is_staff=True, is_superuser=True)
    bobs, other, carols, roots = (open_page(site, one) for one in (bob, bob, cast[2], root))
    for page in (bobs, other, carols):
        show(page, post)
    # From another process: no ring is heard, the heartbeat finds it.
    with site.orm():
        Person.objects.get(pk=bob.pk).ban(root, "Advertising <b>again</b>")
    for page in (bobs, other):
        expect(notice(page)).to_contain_text("You are banned: Advertising <b>again</b>")
    said = say(site, cast[2], post, "He cannot hear this")
    expect(carols.locator(f"#comment-{said.pk}")).to_be_visible()  # a heartbeat later
    for page in (bobs, other):
        expect(page.locator("#comments")).not_to_contain_text("He cannot hear this")
    bobs.expect_troubles = True  # 403 at the door
    sign_in(bobs, bob)
    expect(bobs.get_by_role("alert")).to_have_text("You are banned: Advertising <b>again</b>")

    # From the admin, a ring tells it at once; and lets him in again.
    roots.goto(f"/admin/people/person/{bob.pk}/change/")
    roots.get_by_label("Active", exact=True).check()
    roots.get_by_role("button", name="Save", exact=True).click()
    sign_in(bobs, bob, then=f"/posts/{post.slug}/")
    connected(bobs)
    roots.goto(f"/admin/people/person/{bob.pk}/change/")
    roots.get_by_label("Active", exact=True).uncheck()
    roots.get_by_role("button", name="Save", exact=True).click()
    expect(notice(bobs)).to_contain_text("not active any more")


def test_a_new_password_ends_the_sockets_of_other_browsers_and_not_its_own(site, post, cast, bob, open_page):
    laptop, phone = open_page(site), open_page(site)
    for page in (laptop, phone):
        sign_in(page, bob, then=f"/posts/{post.slug}/")
        connected(page)
    tab = laptop.context.new_page()
    tab.goto("/accounts/password/change/")
    tab.get_by_label("Current Password").fill(PASSWORD)
    tab.get_by_label("New Password", exact=True).fill(NEW)
    tab.get_by_label("New Password (again)").fill(NEW)
    tab.get_by_role("main").get_by_role("button", name="Change Password").click()
    expect(notice(phone)).to_contain_text("the password of your account was changed")
    said = say(site, cast[2], post, "Still there?")
    expect(laptop.locator(f"#comment-{said.pk}")).to_be_visible()
    expect(phone.locator(f"#comment-{said.pk}")).to_have_count(0)
    expect(notice(laptop)).to_be_empty()
    expect(laptop.locator("#live")).to_have_count(1)

    # The list of sessions: another browser signs this one out.
    sign_in(phone, bob, NEW, "/accounts/sessions/")
    expect(phone.locator(".sessions li")).to_have_count(2)
    phone.get_by_role("button", name="Sign out the others").click()
    expect(notice(laptop)).to_contain_text("You are signed out")
    expect(phone.locator(".sessions li")).to_have_count(1)
    expect(notice(phone)).to_be_empty()

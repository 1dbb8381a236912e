"""What is sent and does not arrive: the form says so, keeps what was typed, and sends it again."""

from playwright.sync_api import expect

from e2e.test_rooms_live import enter
from e2e.words import assert_as_reloaded, comment, show
from rooms.models import Room

ANSWERS = {
    "a server that is gone": lambda route: route.abort("connectionrefused"),
    "an error": lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>", content_type="text/html"),
    "a proxy's refusal": lambda route: route.fulfill(status=403, body="<h1>Proxy</h1>", content_type="text/html"),
    "a proxy's limit": lambda route: route.fulfill(status=413, body="<h1>Proxy</h1>", content_type="text/html"),
    "nothing at all": lambda route: None,
}


def test_a_comment_that_does_not_arrive_is_kept_and_the_form_says_so(site, cast, post, open_page):
    page = show(open_page(site, cast[1]), post)
    page.expect_troubles = True
    form = page.locator("#form-new")
    for name, answer in ANSWERS.items():
        page.route("**/comments/", answer)
        page.evaluate("htmx.config.defaultTimeout = 500")
        comment(page, name)
        expect(form.locator(".failed")).to_contain_text("Not sent")
        expect(form.locator("textarea")).to_have_value(name)
        expect(form.locator("textarea")).to_be_enabled()
        expect(page.locator("body")).not_to_contain_text("Proxy")
        page.unroute("**/comments/")
        page.evaluate("htmx.config.defaultTimeout = 0")  # the server may take its time
        form.locator(".actions button").first.click()
        expect(page.locator("#comments")).to_contain_text(name)
        expect(form.locator("textarea")).to_have_value("")
        expect(form.locator(".failed")).to_be_hidden()
    assert_as_reloaded(page, open_page, site, post)


def test_what_parley_refuses_is_drawn(site, cast, post, open_page):
    page = show(open_page(site, cast[1]), post)
    page.expect_troubles = True
    comment(page, "   ")
    expect(page.locator("#form-new .error")).to_be_visible()


def test_bobs_old_page_writes_nothing_as_carol(site, cast, post, open_page):
    page = show(open_page(site, cast[1]), post)
    page.expect_troubles = True
    page.context.add_cookies([site.session(cast[2])])
    comment(page, "a word of Bob's")
    expect(page.locator("#notice")).to_contain_text("signed in as carol now")
    expect(page.locator("#form-new .failed")).to_contain_text("Not sent")
    expect(page.locator("#form-new textarea")).to_have_value("a word of Bob's")
    expect(page.locator("#comments")).not_to_contain_text("a word of Bob's")


def test_what_is_half_written_stays_in_sight_when_the_comments_are_closed(site, cast, post, open_page):
    page, idle = (show(open_page(site, person), post) for person in cast[1:])
    page.expect_troubles = True
    page.locator("#form-new textarea").fill("half a comment")
    with site.orm():
        post.close_comments()
    for one in (page, idle):
        expect(one.locator("#comments-state")).to_have_text("Comments are closed.")
    expect(idle.locator("#form-new")).to_be_hidden()
    expect(page.locator("#form-new textarea")).to_be_visible()
    page.locator("#form-new .actions button").first.click()
    expect(page.locator("#form-new .error")).to_have_text("Comments are closed.")
    expect(page.locator("#form-new textarea")).to_have_value("half a comment")


def test_a_line_half_written_stays_when_its_writer_is_taken_out_and_goes_on_when_they_are_back(site, cast, open_page):
    alice, bob, _ = cast
    with site.orm():
        den = Room(name="The den", kind=Room.Kind.MEMBERS, created_by=alice)
        den.revise()
        for person in (alice, bob):
            den.admit(person)
    page = enter(open_page(site, bob), "/rooms/the-den/")
    line = page.locator("#lines .says").last
    line.fill("half a line")
    with site.orm():
        den.memberships.get(person=bob).leave()
    expect(page.locator("#room-state")).to_contain_text("not a member of this room any more")
    expect(line).to_be_visible()
    expect(line).to_have_value("half a line")
    with site.orm():
        den.admit(bob)
        den.say(alice, "Welcome back")
    expect(page.locator("#messages")).to_contain_text("Welcome back")
    expect(page.locator("#room-state")).to_be_hidden()
    line.press("Enter")
    expect(page.locator("#messages")).to_contain_text("half a line")


def test_signed_out_and_in_again_a_post_goes_on_as_the_same_person_and_no_other(site, cast, post, open_page):
    alice, bob, carol = cast
    page = show(open_page(site, bob), post)
    page.expect_troubles = True  # the page is sent once more with the new token
    draft = page.locator("#form-new textarea")
    draft.fill("half a comment")
    with site.orm():
        bob.end_sessions()
    expect(page.locator("#notice")).to_contain_text("You are signed out.")
    page.context.add_cookies([site.session(carol)])
    page.get_by_role("button", name="Go on with this page").click()
    expect(page.locator("#notice")).to_contain_text("You are signed in as carol now, and this page is bob’s.")
    page.context.add_cookies([site.session(bob)])
    page.reload()
    draft.fill("half a comment")
    with site.orm():
        bob.end_sessions()
    expect(page.locator("#notice")).to_contain_text("You are signed out.")
    page.context.add_cookies([site.session(bob)])
    page.get_by_role("button", name="Go on with this page").click()
    expect(page.locator("#notice")).to_be_empty()
    with site.orm():
        post.comment(alice, "Are you back?")
    expect(page.locator("#comments")).to_contain_text("Are you back?")
    expect(draft).to_have_value("half a comment")

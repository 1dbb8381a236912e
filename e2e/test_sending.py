"""What is sent and does not arrive: the form says so, keeps what was typed, and sends it again."""

from playwright.sync_api import expect

from e2e.words import assert_as_reloaded, comment, show

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

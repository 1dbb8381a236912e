"""Everything that a reader does works with plain forms and links."""

from playwright.sync_api import expect

from posts.models import Comment


def test_signing_up_reading_commenting_replying_editing_deleting_and_signing_out(site, post, open_page):
    page = open_page(site, javascript=False)
    page.goto("/")
    page.get_by_role("link", name="A day at the sea").click()
    expect(page.locator("#article")).to_contain_text("The tide is out.")
    page.get_by_role("link", name="Sign in to comment").click()
    page.get_by_role("main").get_by_role("link", name="sign up").click()
    page.get_by_label("Username").fill("dora")
    page.get_by_label("Email").fill("dora@parley.example")
    page.locator("input[name=password1]").fill("a long-winded secret")
    page.locator("input[name=password2]").fill("a long-winded secret")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()

    page.goto(f"/posts/{post.slug}/")
    page.get_by_label("Your comment").fill("Said *without* a script")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#comments > li").first).to_contain_text("Said without a script")
    assert "#comment-" in page.url

    page.locator("#comments > li").last.get_by_role("link", name="Reply").click()
    page.get_by_label("Your reply to carol").fill("And answered")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#comments .replies li")).to_contain_text("And answered")

    page.locator("#comments .replies li").get_by_role("link", name="Edit").click()
    page.get_by_label("Edit your comment").fill("And answered better")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#comments .replies li")).to_contain_text("And answered better")

    page.locator("#comments .replies li").get_by_role("link", name="Delete").click()
    page.get_by_role("main").get_by_role("button", name="Delete").click()
    expect(page.locator("#comments .replies li")).to_have_count(0)
    with site.orm():
        assert Comment.objects.filter(state="shown").count() == 2

    page.get_by_role("button", name="Sign out").click()
    page.goto("/accounts/login/")
    page.locator("input[name=login]").fill("dora")
    page.locator("input[name=password]").fill("a long-winded secret")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="dora")).to_be_visible()


def test_bad_input_keeps_the_text(site, post, cast, open_page):
    page = open_page(site, cast[1], javascript=False)
    page.expect_troubles = True  # the answers 422 show on the console
    page.goto(f"/posts/{post.slug}/")
    page.get_by_label("Your comment").fill("x" * 4001)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("at most 4000 characters (yours has 4001)")
    expect(page.get_by_label("Your comment")).to_have_value("x" * 4001)
    page.goto(f"/comments/{post.first.pk}/reply/")
    page.get_by_label("Your reply to carol").fill("   ")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_have_text("Write something first.")


def test_the_language_is_chosen_by_a_button(site, post, open_page):
    page = open_page(site, javascript=False)
    page.goto(f"/posts/{post.slug}/")
    page.get_by_role("button", name="简体中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page.get_by_role("heading", name="评论")).to_be_visible()
    assert page.url.endswith(f"/posts/{post.slug}/")

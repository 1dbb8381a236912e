"""What a page keeps of the keyboard and of the mouse."""

from e2e.words import ON_ONE


@ON_ONE
def test_a_click_for_a_new_tab_opens_one(site, post, cast, open_page):
    page = open_page(site, cast[1])
    page.goto(f"/posts/{post.slug}/")
    reply = page.locator(f"#reply-{post.first.pk}")
    for how in ({"modifiers": ["ControlOrMeta"]}, {"modifiers": ["Shift"]}, {"button": "middle"}):
        with page.context.expect_page() as opened:
            reply.click(**how)
        opened.value.wait_for_url(f"**/comments/{post.first.pk}/reply/")
        opened.value.close()
    expect(page.locator(f"#form-{post.first.pk} textarea")).to_have_count(0)
    reply.click()
    expect(page.locator(f"#form-{post.first.pk} textarea")).to_be_focused()

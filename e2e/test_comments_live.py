"""Two people at one post: what one does, the other sees, once, in order, and without losing a word of a draft."""

import re
from datetime import timedelta

from playwright.sync_api import expect

from e2e.words import ON_BOTH, assert_as_reloaded, comment, connected, say, show, texts
from posts.models import Comment, Post


@ON_BOTH
def test_a_comment_reaches_everybody_once(site, post, cast, open_page):
    alice, bob, _ = cast
    a, b, anonymous = (show(open_page(site, one), post) for one in (alice, bob, None))
    comment(a, "Look at the *light*!")
    for page in (b, anonymous, a):
        expect(page.locator("#comments > li").first).to_contain_text("Look at the light!")
        expect(page.locator("#comment-count")).to_have_text("2")
        assert texts(page) == ["Look at the light!", "The first word"]
        assert_as_reloaded(page, open_page, site, post)
    expect(a.locator("#body-new")).to_have_value("")


def test_replies_nest_edits_show_and_removals_leave_what_they_must(site, post, cast, open_page):
    alice, bob, _ = cast
    a, b = show(open_page(site, alice), post), show(open_page(site, bob), post)
    comment(a, "A question")
    mine = a.locator("#comments > li").first
    expect(mine).to_contain_text("A question")
    pk = mine.get_attribute("data-key")
    expect(b.locator(f"#comment-{pk}")).to_be_visible()
    comment(b, "An answer", below=pk)
    for page in (a, b):
        expect(page.locator(f"#replies-{pk} > li")).to_contain_text("An answer")
    expect(b.locator(f"#form-{pk} form")).to_have_count(0)

    a.locator(f"#edit-{pk}").click()
    a.locator(f"#form-{pk} textarea").fill("A better question")
    a.locator(f"#form-{pk} button").first.click()
    for page in (a, b):
        expect(page.locator(f"#comment-{pk}-body")).to_contain_text("A better question")
    assert_as_reloaded(b, open_page, site, post)

    a.locator(f"#delete-{pk}").click()
    a.locator(f"#form-{pk} button").first.click()
    for page in (a, b):
        expect(page.locator(f"#comment-{pk}-body")).to_have_text(re.compile("Deleted by its author."))
        expect(page.locator(f"#replies-{pk} > li")).to_contain_text("An answer")
        assert_as_reloaded(page, open_page, site, post)

    reply = b.locator(f"#replies-{pk} > li").get_attribute("data-key")
    b.locator(f"#delete-{reply}").click()
    b.locator(f"#form-{reply} button").first.click()
    for page in (a, b):
        expect(page.locator(f"#comment-{pk}")).to_have_count(0)
        assert_as_reloaded(page, open_page, site, post)


def test_a_half_typed_reply_keeps_text_focus_and_caret_through_it_all(site, post, cast, open_page):
    alice, bob, _ = cast
    first = say(site, alice, post, "Talk to me")
    a, b = show(open_page(site, alice), post), show(open_page(site, bob), post)
    b.locator(f"#reply-{first.pk}").click()
    draft = b.locator(f"#body-{first.pk}")
    expect(draft).to_be_focused()
    draft.press_sequentially("I was about to")
    draft.press("Home")
    draft.press("ArrowRight")

    def kept():
        expect(draft).to_be_focused()
        expect(draft).to_have_value("I was about to")
        assert draft.evaluate("area => area.selectionStart") == 1

    comment(a, "Another top-level comment")
    expect(b.locator("#comments")).to_contain_text("Another top-level comment")
    kept()
    comment(a, "Below what you answer", below=first.pk)
    expect(b.locator(f"#replies-{first.pk}")).to_contain_text("Below what you answer")
    kept()
    a.locator(f"#edit-{first.pk}").click()
    a.locator(f"#form-{first.pk} textarea").fill("Talk to me, please")
    a.locator(f"#form-{first.pk} button").first.click()
    expect(b.locator(f"#comment-{first.pk}-body")).to_contain_text("please")
    kept()
    a.locator(f"#delete-{first.pk}").click()
    a.locator(f"#form-{first.pk} button").first.click()
    expect(b.locator(f"#comment-{first.pk}-body")).to_contain_text("Deleted by its author.")
    kept()
    b.expect_troubles = True  # the answer 422 shows on the console
    b.locator(f"#form-{first.pk} button").first.click()
    expect(b.get_by_role("alert")).to_have_text("That comment was removed while you were writing.")
    expect(draft).to_have_value("I was about to")


def test_a_double_click_is_one_comment(site, post, cast, open_page):
    b = show(open_page(site, cast[1]), post)
    b.locator("#body-new").fill("Only once")
    b.locator("#form-new button").dblclick()
    expect(b.locator("#comments")).to_contain_text("Only once")
    expect(b.locator("#comment-count")).to_have_text("2")
    with site.orm():
        assert Comment.objects.filter(body="Only once").count() == 1
    assert_as_reloaded(b, open_page, site, post)


def test_two_tabs_of_one_person_agree(site, post, cast, open_page):
    one = show(open_page(site, cast[1]), post)
    two = one.context.new_page()
    show(two, post)
    comment(one, "From the first tab")
    comment(two, "From the second tab")
    for page in (one, two):
        expect(page.locator("#comments > li")).to_have_count(3)
        assert_as_reloaded(page, open_page, site, post)


def test_a_comment_posted_between_rendering_and_connecting_is_not_missed(site, post, cast, open_page):
    page = open_page(site, cast[1])

    def meanwhile(route):
        say(site, cast[2], post, "Between the two")
        route.continue_()

    page.route("**/htmx-ws*.js", meanwhile)
    page.goto(f"/posts/{post.slug}/")
    expect(page.locator("#comments")).to_contain_text("Between the two")
    assert_as_reloaded(page, open_page, site, post)


def test_a_page_that_comes_back_by_the_back_button_is_current(site, post, cast, open_page):
    page = show(open_page(site, cast[1]), post)
    page.goto("/")
    expect(page.locator("#posts")).to_be_visible()
    say(site, cast[2], post, "While you were away")
    page.go_back()
    expect(page.locator("#comments")).to_contain_text("While you were away")
    assert_as_reloaded(page, open_page, site, post)
    page.go_forward()
    expect(page.locator("#posts")).to_be_visible()
    say(site, cast[2], post, "And again")
    page.go_back()
    expect(page.locator("#comments")).to_contain_text("And again")
    assert_as_reloaded(page, open_page, site, post)


def test_a_tab_hidden_and_shown_quickly_goes_on(site, post, cast, open_page):
    anonymous = show(open_page(site), post)
    for hidden in (True, False):
        anonymous.evaluate(
            """hidden => {
                Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
                document.dispatchEvent(new Event('visibilitychange'));
            }""",
            hidden,
        )
    say(site, cast[2], post, "Still with you?")
    expect(anonymous.locator("#comments")).to_contain_text("Still with you?")
    assert_as_reloaded(anonymous, open_page, site, post)


def test_older_comments_and_more_replies_are_loaded_in_their_places(site, post, cast, open_page):
    with site.orm():
        top = Comment.objects.get(post=post)
        for n in range(25):
            Post.objects.get(pk=post.pk).comment(cast[1], f"reply {n}", top)
        for n in range(60):
            Post.objects.get(pk=post.pk).comment(cast[2], f"comment {n}")
    page = show(open_page(site, cast[1]), post)
    expect(page.locator("#comments > li")).to_have_count(50)
    page.get_by_role("link", name="Older comments").click()
    expect(page.locator("#comments > li")).to_have_count(61)
    expect(page.get_by_role("link", name="Older comments")).to_have_count(0)
    keys = [int(key) for key in page.locator("#comments > li").evaluate_all("all => all.map(e => e.dataset.key)")]
    assert keys == sorted(keys, reverse=True)
    comment(page, "the newest reply", below=top.pk)
    expect(page.locator(f"#replies-{top.pk} > li")).to_have_count(21)
    page.get_by_role("link", name="More replies").click()
    expect(page.locator(f"#replies-{top.pk} > li")).to_have_count(26)
    said = page.locator(f"#replies-{top.pk} > li .text").all_inner_texts()
    assert [text.strip() for text in said] == [*(f"reply {n}" for n in range(25)), "the newest reply"]


def test_a_permalink_shows_its_thread_and_stays_current(site, post, cast, open_page):
    top = say(site, cast[1], post, "One thread")
    deep = say(site, cast[2], post, "Deep down", top)
    page = open_page(site, cast[1])
    page.goto(f"/comments/{deep.pk}/")
    connected(page)
    expect(page.locator("#thread")).to_contain_text("Deep down")
    expect(page.locator("#thread")).not_to_contain_text("The first word")
    say(site, cast[2], post, "Elsewhere")
    say(site, cast[0], post, "And here", deep)
    expect(page.locator(f"#replies-{deep.pk}")).to_contain_text("And here")
    expect(page.locator("#main")).not_to_contain_text("Elsewhere")


def test_comments_closed_while_bob_writes_leave_his_draft_in_the_page(site, post, cast, open_page):
    b = show(open_page(site, cast[1]), post)
    b.locator("#body-new").fill("I had so much to say")
    with site.orm():
        Post.objects.get(pk=post.pk).close_comments()
    expect(b.locator("#comments-state")).to_have_text("Comments are closed.")
    expect(b.locator("#body-new")).to_be_visible()
    expect(b.locator("#body-new")).to_have_value("I had so much to say")


def test_bad_input_is_refused_in_the_page_with_the_text_kept(site, post, cast, open_page):
    b = show(open_page(site, cast[1], language="zh-CN"), post)
    b.expect_troubles = True  # the answers 422 show on the console
    b.locator("#form-new button").click()
    expect(b.get_by_role("alert")).to_have_text("请先写点内容。")
    long = "字" * 4001
    b.locator("#body-new").fill(long)
    b.locator("#form-new button").click()
    expect(b.get_by_role("alert")).to_have_text("评论最多 4000 个字符（当前 4001 个）。")
    expect(b.locator("#body-new")).to_have_value(long)
    b.locator("#body-new").fill("short enough")
    b.locator("#form-new button").click()
    expect(b.locator("#comments")).to_contain_text("short enough")
    expect(b.get_by_role("alert")).to_have_count(0)


def test_an_edit_too_late_is_refused_beside_it(site, post, cast, open_page):
    said = say(site, cast[1], post, "Long ago")
    with site.orm():
        Comment.objects.filter(pk=said.pk).update(created_at=said.created_at - timedelta(minutes=16))
    b = show(open_page(site, cast[1]), post)
    b.expect_troubles = True
    b.locator(f"#edit-{said.pk}").click()
    b.locator(f"#form-{said.pk} textarea").fill("Rewriting history")
    b.locator(f"#form-{said.pk} button").first.click()
    expect(b.get_by_role("alert")).to_have_text("The time to edit this comment has passed.")
    expect(b.locator(f"#form-{said.pk} textarea")).to_have_value("Rewriting history")


def test_hostile_words_stay_words(site, post, cast, open_page):
    b, anonymous = show(open_page(site, cast[1]), post), show(open_page(site), post)
    asked = []
    anonymous.on("request", lambda request: asked.append(request.url))
    anonymous.on("dialog", lambda dialog: asked.append(dialog.message))
    hostile = [
        "<script>alert(1)</script><img src=/pixel onerror=alert(1)>",
        '<div hx-get="/evil" hx-trigger="load" hx-swap-oob="true" id="comments">gone</div>',
        '</article></li></ol><hx-partial hx-target="#live" hx-swap="delete"></hx-partial>',
        '[x](/a "<hx-partial hx-target=#comments hx-swap=delete>") <title>stolen</title>',
    ]
    for n, text in enumerate(hostile):
        comment(b, text)
        expect(anonymous.locator("#comments > li")).to_have_count(n + 2)
    assert anonymous.locator("#live").count() == 1
    assert "stolen" not in anonymous.title()
    assert_as_reloaded(anonymous, open_page, site, post)
    assert not asked
    ids = anonymous.locator("[id]").evaluate_all("all => all.map(e => e.id)")
    assert len(ids) == len(set(ids))

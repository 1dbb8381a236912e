"""A page whose socket tells nothing any more: it says so, and stays current nevertheless."""

import pytest
from playwright.sync_api import expect

from e2e.words import assert_as_reloaded, comment, connected, say
from harness.site import Relay

LINE = "#heartbeat"
HURRY = "#connection { --patience: 1s; --while-connecting: 0.3s; --again: 0.5s }"


@pytest.fixture
def site(sites):
    """A site whose heart beats quickly."""
    return sites(HEARTBEAT=0.2)


@pytest.fixture
def admin(site):
    return site.account("root", is_staff=True, is_superuser=True)


@pytest.fixture
def impatient(open_page):
    """``impatient(relay, post, person=None, **options)``: a live page that soon notices when it is not."""

    def impatient(relay, post, person=None, **options):
        page = open_page(relay, person, **options)
        page.expect_troubles = True  # the console tells of each connection that failed
        page.goto(f"/posts/{post.slug}/")
        page.evaluate(
            """css => {
                const sheet = new CSSStyleSheet();
                sheet.replaceSync(css);
                document.adoptedStyleSheets.push(sheet);
            }""",
            HURRY,
        )
        connected(page)
        expect(page.locator(LINE)).to_have_class("live")
        expect(page.locator(LINE)).to_be_hidden()
        return page

    return impatient


def test_a_socket_that_is_swallowed_is_noticed_and_replaced(site, cast, post, impatient, open_page):
    with Relay(site) as relay:
        page = impatient(relay, post, cast[1])
        page.emulate_media(reduced_motion="reduce")
        page.locator("#body-new").press_sequentially("half a thought")
        page.route("**/live/?*", lambda route: route.abort())  # so that what the page says can be looked at
        relay.swallow()
        say(site, cast[2], post, "while the line was dead")
        expect(page.locator(LINE)).to_be_visible()
        expect(page.locator(LINE)).to_have_text("Reconnecting…")
        expect(page.locator("#comments")).not_to_contain_text("while the line was dead")
        page.unroute("**/live/?*")
        expect(page.locator("#comments")).to_contain_text("while the line was dead")
        expect(page.locator(LINE)).to_have_class("live")
        expect(page.locator(LINE)).to_be_hidden()
        expect(page.locator("#body-new")).to_have_value("half a thought")
        expect(page.locator("#body-new")).to_be_focused()
        comment(page, "heard again")
        say(site, cast[2], post, "and hears")
        expect(page.locator("#comments")).to_contain_text("and hears")
        assert_as_reloaded(page, open_page, site, post)


@pytest.mark.parametrize("language, said", [("en", "Reconnecting…"), ("zh-CN", "正在重新连接……")])
def test_a_page_whose_sockets_are_refused_stays_current_and_says_so(site, cast, post, impatient, language, said):
    with Relay(site) as relay:
        page = impatient(relay, post, language=language)
        relay.refuse_sockets()
        expect(page.locator(LINE)).to_be_visible()
        expect(page.locator(LINE)).to_have_text(said)
        for n in range(3):
            say(site, cast[2], post, f"over HTTP {n}")
            expect(page.locator("#comments")).to_contain_text(f"over HTTP {n}")
        expect(page.locator(LINE)).to_be_visible()


def test_a_banned_persons_page_is_told_why_and_asks_nothing_more(site, cast, post, admin, impatient):
    with Relay(site) as relay:
        page = impatient(relay, post, cast[1])
        asked = []
        page.on("request", lambda request: asked.append(request.url) if "/live/?" in request.url else None)
        with site.orm():
            cast[1].ban(admin, "spam")
        expect(page.locator("#notice")).to_contain_text("You are banned: spam")
        expect(page.locator(LINE)).to_have_class("ended")
        assert not page.evaluate("document.querySelector('#heartbeat').getAnimations().length")
        expect(page.locator(LINE)).to_be_hidden()
        assert asked == []


def test_a_banned_persons_swallowed_page_is_told_so_over_http(site, cast, post, admin, impatient):
    with Relay(site) as relay:
        page = impatient(relay, post, cast[1])
        relay.swallow()
        with site.orm():
            cast[1].ban(admin, "spam")
        expect(page.locator("#notice")).to_contain_text("You are banned: spam")
        expect(page.locator(LINE)).to_have_class("ended")


def test_an_anonymous_page_that_nobody_looks_at_sleeps_and_wakes_without_a_word(site, cast, post, impatient):
    with Relay(site) as relay:
        page = impatient(relay, post)
        hide = """hidden => {
            Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
            document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
        }"""
        page.evaluate(
            """() => {
                window.states = [];
                new MutationObserver(() => window.states.push(document.querySelector('#heartbeat').className))
                    .observe(document.querySelector('#connection'), { childList: true });
            }"""
        )
        page.evaluate(hide, True)
        expect(page.locator(LINE)).to_have_class("asleep")
        say(site, cast[2], post, "unseen")
        page.evaluate("window.states.length = 0")
        page.evaluate(hide, False)
        expect(page.locator("#comments")).to_contain_text("unseen")
        expect(page.locator(LINE)).to_have_class("live")

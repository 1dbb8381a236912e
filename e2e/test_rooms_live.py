"""People in one room: lines, who is here, who is typing, and the place where one reads."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from e2e.words import hear_on
from live.cursors import Cursor
from live.streams import name_of
from live.testing import Page, until
from rooms.models import Message, Room

LONG_AGO = timezone.now() - timedelta(days=30)


@pytest.fixture
def cast(site):
    """alice, bob and carol, who have been here for long."""
    return [site.account(name, date_joined=LONG_AGO) for name in ("alice", "bob", "carol")]


def make(site, name="The lobby", kind=Room.Kind.OPEN, members=()):
    with site.orm():
        room = Room(name=name, kind=kind)
        room.revise()
        for person in members:
            room.admit(person)
    return room


def enter(page, address):
    """Open the room at ``address`` and wait until its page is connected. → ``page``"""
    page.goto(address)
    expect(page.locator("#here-number")).not_to_be_empty()
    return page


def line_of(page):
    """The line to write in; those above it are on their way, or were refused."""
    return page.locator("#lines .says").last


def send(page, text):
    line_of(page).fill(text)
    line_of(page).press("Enter")


def say(page, text):
    send(page, text)
    expect(line_of(page)).to_have_value("")


def fill(site, room, author, number):
    """``number`` lines of ``author``'s, as if they had been said."""
    with site.orm():
        for n in range(number):
            line = Message(room=room, author=author, body=f"old line {n}", created_at=LONG_AGO)
            line.save()
        Room.objects.filter(pk=room.pk).update(last=line.pk)


def lines(page):
    return [text.strip() for text in page.locator("#messages .text").all_inner_texts()]


def present(page):
    return page.locator("#people-here li span")


def type_until_seen(seen_on, **typing):
    """Somebody types on each of the pages ``typing``, by name, until ``seen_on`` says so of exactly these."""

    def is_seen():
        for page in typing.values():
            line_of(page).press_sequentially("la ")
        text = seen_on.locator("#typing").text_content().strip()
        names = text.partition(" is typing")[0].partition(" are typing")[0]
        return set(names.split(" and ")) == set(typing)

    until(is_seen)


def test_three_people_talk_type_come_and_go(sites, open_page):
    site = sites(changed={"LIVE": {"LEAVE_AFTER": 1}})
    cast = [site.account(name, date_joined=LONG_AGO) for name in ("alice", "bob", "carol")]
    lobby = make(site)
    alice, bob, carol = cast
    a, received = open_page(site, alice), []
    a.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(str(frame))))
    enter(a, "/rooms/the-lobby/")
    b = enter(open_page(site, bob), "/rooms/the-lobby/")
    expect(present(a)).to_have_text(["alice", "bob"])
    c = enter(open_page(site, carol), "/rooms/the-lobby/")
    expect(a.locator("#joined-and-left")).to_have_text("carol has come.")
    stranger = enter(open_page(site), "/rooms/the-lobby/")
    expect(a.locator("#here-number")).to_have_text("3 people are here · 1 guest reads along")

    type_until_seen(a, bob=b)
    type_until_seen(a, bob=b, carol=c)
    type_until_seen(b, carol=c)
    expect(a.locator("#typing")).to_have_attribute("aria-hidden", "true")
    expect(a.locator("#typing")).to_be_empty()

    said = []
    for page, text in [(a, "One"), (b, "Two"), (c, "Three"), (c, "Four")]:
        say(page, text)
        said.append(text)
        for each in (a, b, c, stranger):
            expect(each.locator("#messages .text")).to_have_text(said)
        expect(line_of(page)).to_be_focused()
    expect(b.locator(".line > .opens .name")).to_have_text(["alice", "bob", "carol"])

    mine = c.locator(".line").last
    mine.hover()
    mine.get_by_role("link", name="Edit").click()
    mine.locator("textarea").fill("Five, I mean")
    mine.get_by_role("button", name="Save").click()
    expect(a.locator(".line").last).to_contain_text("Five, I mean")
    expect(a.locator(".line").last).to_contain_text("edited")
    other = a.locator(".line").last
    other.hover()
    expect(other.get_by_role("link", name="Delete")).to_be_hidden()

    tab, third = (enter(c.context.new_page(), "/rooms/the-lobby/") for _ in range(2))
    c.close()
    third.close()
    b.close()
    expect(a.locator("#joined-and-left")).to_have_text("bob has left.")  # carol, too, if she had
    expect(present(a)).to_have_text(["alice", "carol"])
    assert sum("carol has come" in frame for frame in received) == 1
    assert not any("carol has left" in frame for frame in received)
    tab.close()
    expect(a.locator("#joined-and-left")).to_have_text("carol has left.")
    expect(present(a)).to_have_text(["alice"])
    with site.orm():
        assert Message.objects.filter(room=lobby).count() == 4


def test_the_view_stays_where_the_reader_is(site, cast, open_page):
    lobby = make(site)
    alice, bob, _ = cast
    fill(site, lobby, alice, 330)
    a = enter(open_page(site, alice), "/rooms/the-lobby/")
    b = enter(open_page(site, bob), "/rooms/the-lobby/")
    scroller, down = b.locator(".scroller"), b.locator(".down")
    expect(b.locator("#messages .line")).to_have_count(40)
    at_end = "one => Math.abs(one.scrollTop) < 2"
    assert scroller.evaluate(at_end)
    say(a, "At the end it stays at the end")
    last = b.locator(".line").last
    expect(last).to_contain_text("stays at the end")
    expect(last).to_be_in_viewport()
    assert scroller.evaluate(at_end)

    middle = b.locator(".line").nth(20)
    middle.evaluate("line => line.scrollIntoView({block: 'center'})")
    place = middle.bounding_box()["y"]
    expect(b.locator("#messages .line")).to_have_count(41)
    for n in range(3):
        say(a, f"Unseen {n}")
    expect(b.locator(".line").last).to_contain_text("Unseen 2")
    assert abs(middle.bounding_box()["y"] - place) < 2
    expect(down).to_be_in_viewport()
    assert b.locator(".down .number").evaluate("one => getComputedStyle(one, '::before').content") == "counter(fresh)"

    first = b.locator(".line").first
    same = b.locator("#" + first.get_attribute("id"))
    scroller.evaluate("one => one.scrollTop = -one.scrollHeight")
    expect(b.locator("#messages .line")).to_have_count(44 + 40)
    expect(same).to_be_in_viewport()
    for n in range(7):
        scroller.evaluate("one => one.scrollTop = -one.scrollHeight")
        expect(b.locator("#messages .line")).to_have_count(min(300, 44 + 40 * (n + 2)))
    keys = b.locator(".line").evaluate_all("all => all.map(one => Number(one.dataset.key))")
    assert keys == sorted(keys) and len(keys) == len(set(keys)) == 300
    expect(b.get_by_role("link", name="Earlier messages")).to_be_visible()
    say(a, "One too many")
    expect(b.locator(".line").last).to_contain_text("One too many")
    expect(b.locator("#messages .line")).to_have_count(300)
    down.click()
    expect(b.locator(".line").last).to_be_in_viewport()
    b.get_by_role("link", name="Earlier messages").evaluate("link => link.click()")
    expect(b.get_by_text("You see earlier messages.")).to_be_visible()
    expect(b.locator("#earlier-messages .line")).to_have_count(330 + 5 - 300)


def test_bobs_own_line_is_in_view_and_is_no_news(site, cast, open_page):
    lobby = make(site)
    fill(site, lobby, cast[0], 60)
    page = enter(open_page(site, cast[1]), "/rooms/the-lobby/")
    page.expect_troubles = True  # the answer 422 shows on the console
    tab = enter(page.context.new_page(), "/rooms/the-lobby/")
    last, fresh = page.locator(".line").last, page.locator(".fresh")
    page.locator(".scroller").evaluate("one => one.scrollTop = -400")
    say(tab, "Said in the other tab")
    expect(last).to_contain_text("Said in the other tab")
    expect(page.locator(".down")).to_be_in_viewport()
    expect(fresh).to_be_hidden()
    with site.orm():
        lobby.say(cast[0], "What others say is news")
    expect(fresh).to_be_visible()

    send(page, "x" * 2001)
    expect(page.get_by_role("alert")).to_be_visible()
    expect(last).not_to_be_in_viewport()
    say(page, "Here I am")
    expect(last).to_contain_text("Here I am")
    expect(last).to_be_in_viewport()


def test_nothing_overlaps_in_a_low_window(site, cast, open_page):
    room = make(site, "A name that fills its place " * 4)
    with site.orm():
        room.topic = "What is said here. " * 15
        room.save()
        room.admit(cast[1])
    fill(site, room, cast[0], 20)
    page = enter(open_page(site, cast[1]), room.get_absolute_url())
    settings, longer = page.locator(".room-choices"), page.locator(".longer > summary")
    for width, height in [(1280, 800), (1280, 500), (844, 390), (390, 600), (390, 320)]:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        for _ in range(2):
            line = page.locator(".line").last.bounding_box()
            writing, footer = line_of(page).bounding_box(), page.locator(".site-footer").bounding_box()
            composer = page.locator("#composer").bounding_box()
            assert page.locator(".scroller").bounding_box()["height"] >= 120
            assert line["y"] + line["height"] <= composer["y"] <= writing["y"]
            assert writing["y"] + writing["height"] <= composer["y"] + composer["height"]
            assert not footer or composer["y"] + composer["height"] <= footer["y"]
            longer.click()
        for shown in (True, False):
            settings.locator("summary").click()
            expect(settings.get_by_role("button", name="Save")).to_be_visible(visible=shown)
            if shown:
                expect(settings.locator("> div")).to_be_in_viewport(ratio=1)


def test_bob_typing_faster_than_lines_are_sent_loses_nothing(site, cast, open_page):
    lobby = make(site)
    page = enter(open_page(site, cast[1]), "/rooms/the-lobby/")
    page.expect_troubles = True  # the network that is gone
    on_their_way = []
    page.route("**/messages/", lambda route: on_their_way.append(route), times=1)
    line_of(page).focus()
    for text in ("one", "two", "three"):
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        expect(line_of(page)).to_be_focused()
        expect(line_of(page)).to_have_value("")
    page.keyboard.type("fo")
    assert len(on_their_way) == 1 and not lines(page)  # the others wait for it
    on_their_way[0].continue_()
    expect(page.locator("#messages .text")).to_have_text(["one", "two", "three"])
    page.keyboard.type("ur")
    expect(line_of(page)).to_have_value("four")
    expect(page.locator("#lines .says")).to_have_count(1)

    page.context.set_offline(True)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Not sent yet.").first).to_be_visible()
    page.keyboard.type("five")
    page.context.set_offline(False)
    unsent = page.locator("#lines .says").first
    expect(unsent).to_have_value("four")
    unsent.press("Enter")
    expect(page.locator("#messages .text")).to_have_text(["one", "two", "three", "four"])
    expect(page.get_by_text("Not sent yet.").last).to_be_hidden()
    expect(line_of(page)).to_have_value("five")
    expect(page.locator("#lines .says")).to_have_count(1)

    line_of(page).fill("Over to you, @car")
    offered = page.locator(".completion button")
    expect(offered).to_contain_text("@carol")
    page.keyboard.press("Tab")
    expect(offered).to_be_focused()
    page.keyboard.press("Enter")
    expect(line_of(page)).to_have_value("Over to you, @carol ")
    page.keyboard.type("!")
    expect(line_of(page)).to_have_value("Over to you, @carol !")
    with site.orm():
        assert Message.objects.filter(room=lobby).count() == 4


@pytest.mark.stress
def test_on_a_slow_phone_every_key_lands_in_its_own_line(sites, open_page):
    site = sites(RATES="off")
    lobby = make(site)
    alice, bob = (site.account(name, date_joined=LONG_AGO) for name in ("alice", "bob"))
    fill(site, lobby, alice, 40)
    page = enter(open_page(site, bob), "/rooms/the-lobby/")
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 6})
    line_of(page).focus()
    wanted = [f"no {n}" for n in range(9)]
    page.keyboard.type("\n".join([*wanted, "not yet"]))
    expect(page.locator("#lines .says")).to_have_count(1)
    expect(line_of(page)).to_have_value("not yet")
    with site.orm():
        said = lobby.messages.filter(author=bob).order_by("pk")
        assert [message.body for message in said] == wanted


def test_signed_out_and_in_again_the_page_goes_on(site, cast, open_page):
    lobby = make(site)
    alice, bob, _ = cast
    page = enter(open_page(site, bob), "/rooms/the-lobby/")
    page.expect_troubles = True  # the answer 403 shows on the console
    with site.orm():
        bob.end_sessions()
    expect(page.locator("#notice")).to_contain_text("signed out")
    send(page, "Am I here?")
    expect(page.get_by_role("alert")).to_contain_text("Sign in in another tab")
    page.context.add_cookies([site.session(bob)])
    again = page.locator("#lines .says").first
    expect(again).to_have_value("Am I here?")
    again.press("Enter")
    expect(page.locator("#messages .text")).to_have_text(["Am I here?"])
    expect(page.locator("#lines .says")).to_have_count(1)
    expect(page.locator("#notice")).to_be_empty()
    with site.orm():
        lobby.say(alice, "You are")
    expect(page.locator("#messages .text")).to_have_text(["Am I here?", "You are"])


def test_a_removed_member_hears_nothing_more_and_strangers_never_did(site, cast, open_page):
    alice, bob, carol = cast
    den = make(site, "The den", Room.Kind.MEMBERS, [alice, bob])
    a, b = (enter(open_page(site, one), "/rooms/the-den/") for one in (alice, bob))
    c = open_page(site, carol)
    c.expect_troubles = True  # the answer 404 shows on the console
    assert c.goto("/rooms/the-den/").status == 404
    received = []
    b.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(frame)))
    b.reload()
    expect(b.locator("#here-number")).not_to_be_empty()
    say(a, "Hello bob")
    expect(b.locator("#messages")).to_contain_text("Hello bob")
    session = site.session(carol)
    with Page(f"{site.url}/rooms/", f"{session['name']}={session['value']}") as stranger:
        stranger.form[Cursor(name_of(den), 0).signed] = "0"  # as if it had been signed for another
        stranger.connect().hear("not a member of this room")
        say(a, "Nor shall carol")
        expect(b.locator("#messages")).to_contain_text("Nor shall carol")
        stranger.send({"whisper": Cursor(name_of(den), 0).signed})
        heard_on = hear_on(stranger, site, alice)
        assert "bob" not in heard_on and "Nor shall carol" not in heard_on
    with site.orm():
        den.memberships.get(person=bob).leave()
    expect(b.locator("#room")).to_contain_text("You are not a member of this room any more.")
    say(a, "Now that bob is gone")
    expect(a.locator("#messages")).to_contain_text("bob is gone")
    with site.orm():
        Room.write(alice, [bob], "You are out")
    expect(b.locator("#badge")).not_to_be_empty()  # his page hears on; what he must not hear would have come by then
    assert received and not any("is gone" in frame for frame in received if isinstance(frame, str))


def test_a_private_message_reaches_the_other_at_once_and_is_marked_until_read(site, cast, open_page):
    alice, bob, _ = cast
    listing = open_page(site, bob)
    listing.goto("/messages/")
    a = open_page(site, alice)
    a.goto("/messages/bob/")
    line_of(a).focus()
    a.keyboard.type("Just *you* and me")
    a.keyboard.press("Enter")
    expect(line_of(a)).to_have_value("")
    a.keyboard.type("Now")  # while the conversation begins
    expect(a.locator("#messages .text")).to_have_text(["Just you and me"])
    expect(line_of(a)).to_have_value("Now")
    expect(line_of(a)).to_be_focused()
    line_of(a).fill("")
    row = listing.locator("#conversations .room-row")
    expect(row.locator(".mark")).to_have_text("New")
    b = listing.context.new_page()
    b.goto("/messages/")
    b.get_by_role("link", name="alice").click()
    expect(b.locator("#messages .text")).to_have_text(["Just you and me"])
    expect(row.locator(".mark")).to_have_count(0)
    expect(present(a)).to_have_text(["alice", "bob"])
    say(b, "And me and you")
    expect(a.locator("#messages .text")).to_have_text(["Just you and me", "And me and you"])

    b.get_by_text("Settings").click()
    b.get_by_role("button", name="Do not accept messages").click()
    a.expect_troubles = True  # the answer 422 shows on the console
    send(a, "Hello?")
    expect(a.get_by_role("alert")).to_have_text("This person does not accept messages from you.")
    expect(a.locator("#lines .says").first).to_have_value("Hello?")
    expect(line_of(a)).to_have_value("")


def test_enter_chooses_a_chinese_candidate_and_only_then_sends(site, cast, open_page):
    make(site)
    page = enter(open_page(site, cast[1]), "/rooms/the-lobby/")
    line_of(page).focus()
    keyboard = page.context.new_cdp_session(page)
    keyboard.send("Input.imeSetComposition", {"text": "ni", "selectionStart": 2, "selectionEnd": 2})
    keyboard.send(  # what Chromium hears of Enter while an input method is at work
        "Input.dispatchKeyEvent",
        {"type": "rawKeyDown", "key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229},
    )
    keyboard.send("Input.insertText", {"text": "你"})
    expect(line_of(page)).to_have_value("你")
    assert lines(page) == []
    line_of(page).press("Enter")
    expect(page.locator("#messages .text")).to_have_text(["你"])


def test_a_keyboard_and_a_screen_reader_find_their_way(site, cast, open_page):
    lobby = make(site)
    fill(site, lobby, cast[0], 60)
    page = enter(open_page(site, cast[1]), "/rooms/the-lobby/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the text")).to_be_focused()
    page.keyboard.press("Enter")
    region = page.get_by_role("region", name="Messages")
    for _ in range(30):
        page.keyboard.press("Tab")
        if region.evaluate("one => one === document.activeElement"):
            break
    expect(region).to_be_focused()
    page.keyboard.press("Home")
    expect(page.locator("#messages .line")).to_have_count(60)
    at_end = "one => Math.abs(one.scrollTop) < 2"  # the browser glides there, and stops where what is loaded moves it
    until(lambda: page.keyboard.press("End") or region.evaluate(at_end))
    expect(page.locator(".line").last).to_be_in_viewport()
    skip = page.get_by_role("link", name="Skip to writing")
    while not skip.evaluate("one => one === document.activeElement"):
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(line_of(page)).to_be_focused()
    page.keyboard.type("Hello")
    page.keyboard.press("Enter")
    expect(page.locator(".line").last).to_contain_text("Hello")
    expect(line_of(page)).to_be_focused()
    expect(page.locator("#announced-line")).to_be_hidden()  # one's own words are not read out
    with site.orm():
        lobby.say(cast[0], "Do *you* hear me?")
    expect(page.get_by_role("status").locator("#announced-line")).to_have_text("alice: Do you hear me?")
    expect(page.locator("#announced-line")).to_be_visible()
    expect(page.locator("#main")).to_match_aria_snapshot(
        """
        - heading "The lobby" [level=1]
        - complementary:
          - paragraph: 1 person is here
          - list:
            - listitem:
              - link "bob"
        - region "Messages":
          - log "The lobby"
          - status:
            - paragraph: "alice: Do you hear me?"
        - textbox "Message"
        - button "Send"
        - group: A longer message
        """
    )


def test_rooms_read_and_write_without_javascript(site, cast, open_page):
    make(site)
    page = open_page(site, cast[1], javascript=False)
    page.expect_troubles = True  # the answer 422 shows on the console
    page.goto("/rooms/")
    page.get_by_role("link", name="The lobby").click()
    say(page, "Said without a script")
    expect(page.locator("#messages .text")).to_have_text(["Said without a script"])
    page.get_by_text("A longer message").first.click()
    page.get_by_label("A longer message").fill("x" * 2001)
    page.locator("#say-long").get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("at most 2000 characters (yours has 2001)")
    expect(page.get_by_label("A longer message")).to_have_value("x" * 2001)

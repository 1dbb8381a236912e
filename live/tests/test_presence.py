"""Who is here, as the pages of one process are told."""

from datetime import UTC, datetime

import pytest

from live import heartbeat, hub, lease
from live.models import Lease
from live.presence import tracker
from live.streams import find
from live.tests.conftest import Page, Table, until

HOUR = 3600  # longer than any test
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def table(lamp, settings, monkeypatch):
    settings.LIVE = {"LEAVE_AFTER": HOUR}
    monkeypatch.setattr(tracker, "SETTLE", 0.02)
    return Table()


def test_people_are_named_once_however_many_tabs_and_strangers_counted(table, run):
    async def scene():
        alice = await Page(table, user_id="1").open()
        await alice.hear("here: 1, 0")
        await Page(table, user_id="2").open()
        await alice.hear("here: 1 2, 0; came: 2; left: .")
        await Page(table, user_id="2").open()
        stranger = await Page(table).open()
        await alice.hear("here: 1 2, 1; came: ; left: .")
        await stranger.hear("here: 1 2, 1; came: ; left: .")

    run(scene())


def test_one_leaves_after_the_last_tab_and_a_while_and_a_reload_is_silent(table, run, settings):
    async def scene():
        alice, bob = await Page(table, user_id="1").open(), await Page(table, user_id="2").open()
        await alice.hear("here: 1 2")
        again = await Page(table, user_id="2").open()
        await bob.close()
        await again.close()
        bob = await Page(table, user_id="2").open()  # a reload
        await Page(table, user_id="3").open()
        await alice.hear("here: 1 2 3, 0; came: 3; left: .")
        await bob.close()
        await Page(table, user_id="4").open()
        await alice.hear("here: 1 2 3 4, 0; came: 4; left: .")  # it is not yet a while
        assert "left: 2" not in alice.told
        settings.LIVE = {"LEAVE_AFTER": 0}
        await Page(table, user_id="5").open()
        await alice.hear("left: 2.")

    run(scene())


def grow_old():
    Lease.objects.update(renewed=LONG_AGO)


def test_an_open_page_is_never_told_that_nobody_is_here(table, lamp, run, monkeypatch):
    async def scene():
        bulb, alice = await Page(lamp).open(), await Page(table, user_id="1").open()
        await bulb.hear("1 here")
        await alice.hear("here: 1, 0")
        await hub.in_thread(grow_old)  # as when it could not be renewed in time
        monkeypatch.setattr(tracker, "SETTLE", HOUR)  # who comes now is not written yet
        stranger, bob = await Page(lamp).open(), await Page(table, user_id="2").open()
        await hub.here().parts[0].announce({"live.lamp:1", "live.table:1"})  # as the heartbeat may
        await stranger.hear("2 here")
        await bob.hear("here: 1 2, 0")
        await bulb.hear("2 here")
        await alice.hear("here: 1 2, 0; came: 2; left: .")
        assert not [page for page in (bulb, stranger) if "0 here" in page.told]
        assert "left: 1" not in alice.told

    run(scene())


def test_a_lease_that_waited_for_the_first_request_is_renewed_at_once(lamp, run, monkeypatch):
    claimed = lease.claim()
    grow_old()
    monkeypatch.setattr(heartbeat, "RENEWAL", HOUR)

    async def scene():
        await hub.here(claimed).heartbeat.run_once()
        assert await hub.in_thread(lease.living().exists)

    run(scene())


def test_many_arrivals_cost_few_tellings(table, run, monkeypatch):
    async def scene():
        alice = await Page(table, user_id="11").open()
        await alice.hear("here: 11, 0")
        told = alice.told.count("here:")
        monkeypatch.setattr(tracker, "DELIVERIES", 1 / HOUR)  # that was all for now
        for n in range(12, 52):
            await Page(table, user_id=str(n)).open()
        last = await Page(table, user_id="52").open()
        await last.hear("here: 11 12")  # who is new is told at once
        assert alice.told.count("here:") == told
        monkeypatch.setattr(tracker, "DELIVERIES", HOUR)
        hub.here().parts[0].on_presence("live.table:1")  # as when it is due
        await alice.hear(" 52, 0;")
        assert alice.told.count("here:") <= told + 2

    run(scene())


def test_a_person_who_hides_is_gone_at_once_and_back_at_once(table, run):
    stream, hidden = find("live.table:1").__class__, set()
    stream.hidden = staticmethod(hidden.intersection)

    async def scene():
        alice, bob = await Page(table, user_id="1").open(), await Page(table, user_id="2").open()
        await alice.hear("here: 1 2")
        hidden.add("2")
        await hub.in_thread(tracker.refresh_presence, "2")
        await alice.hear("here: 1, 0; came: ; left: 2.")
        await bob.hear("here: 1, 0; came: ; left: 2.")
        hidden.clear()
        await hub.in_thread(tracker.refresh_presence, "2")
        await alice.hear("here: 1 2, 0; came: 2; left: .")

    run(scene())


def test_who_has_said_it_types_no_longer(lamp, run):
    async def scene():
        alice, bob = await Page(lamp, user_id="1").open(), await Page(lamp, user_id="2").open()
        [cursor] = await bob.cursors()
        bob.say({"whisper": cursor.signed})
        await alice.hear("typing: 2.")
        tracker.stop_typing("live.lamp:1", "2")
        await alice.hear("typing: .")

    run(scene())


def test_nobody_is_shown_typing_in_a_crowd(table, lamp, run, monkeypatch):
    monkeypatch.setattr(tracker, "QUIET_ABOVE", 1)

    async def scene():
        alice = await Page(table, user_id="1").open()
        await Page(table, user_id="2").open()
        await alice.hear("here: 1 2")
        here = hub.here().parts[0]
        here.whisper("live.table:1", "2")
        assert not here.typing

    run(scene())


def test_an_event_that_makes_no_sense_deafens_nobody(lamp, run):
    async def scene():
        page = await Page(lamp).open()
        ours = hub.here().doorbell
        await until(lambda: ours.channel)
        senseless = [
            {"type": "ring"},
            {"type": "ring", "name": "live.lamp:1", "head": "x"},
            {"type": "presence"},
            {"type": 1},
        ]
        for event in senseless:
            await ours.layer.send(ours.channel, event)
        await hub.in_thread(lamp.write, "on")
        await page.hear(">ON<")

    run(scene())

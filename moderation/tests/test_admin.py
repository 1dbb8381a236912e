"""Moderators work off what waits and what was reported in the admin: many at once, comments and lines alike."""

import pytest

from live.cursors import cursors
from live.deltas import delta
from live.streams import find, name_of
from moderation.models import SuspectWord
from moderation.tests.conftest import wait
from people.models import Person
from posts.models import Comment


@pytest.fixture
def as_editor(client, person):
    client.force_login(person("eve", "Editors"))
    return client


def test_a_moderator_removes_with_a_reason(client, mallory, bob, post):
    said = post.comment(bob, "buy now")
    client.force_login(mallory)
    chosen = {"action": "remove", "_selected_action": [said.pk]}
    page = client.post("/admin/posts/comment/", chosen).content.decode()
    assert "buy now" in page and 'name="reason"' in page and f'name="_selected_action" value="{said.pk}"' in page
    assert "Say why." in client.post("/admin/posts/comment/", chosen | {"reason": " "}).content.decode()
    client.post("/admin/posts/comment/", chosen | {"reason": "advertising"})
    said.refresh_from_db()
    assert (said.state, said.reason, said.removed_by) == ("removed", "advertising", mallory)


def decide(client, action, *comments, **said):
    chosen = {"action": action, "_selected_action": [comment.pk for comment in comments]}
    return client.post("/admin/posts/comment/", chosen | said, follow=True).content.decode()


def states(*comments):
    return [Comment.objects.get(pk=comment.pk).state for comment in comments]


def test_a_queue_is_worked_off_in_bulk_and_open_pages_follow(as_mallory, bob, carol, post):
    one, two, three = (wait(post, author, text) for author, text in ((bob, "one"), (carol, "two"), (bob, "three")))
    [before] = cursors(post)
    queue = as_mallory.get("/admin/posts/comment/?queue=waiting").content.decode()
    assert all(text in queue for text in ("one", "two", "three", "waits: its author is new"))
    assert '<b id="queue-waiting">3</b>' in as_mallory.get("/admin/").content.decode()
    assert "2 items done." in decide(as_mallory, "approve", one, two)
    assert "1 item done." in decide(as_mallory, "reject", three, reason="off topic")
    assert states(one, two, three) == ["shown", "shown", "rejected"]
    text, _ = delta(find(name_of(post)), before.tick)
    assert "one" in text and "two" in text and "three" not in text
    assert '<b id="queue-waiting">0</b>' in as_mallory.get("/admin/").content.decode()


def test_what_stands_against_it_is_said_and_the_rest_is_done(as_mallory, bob, carol, post):
    removed, deleted = post.comment(bob, "removed"), post.comment(carol, "deleted")
    removed.remove(Person.objects.get(username="mallory"), "why not")
    deleted.remove(carol)
    page = decide(as_mallory, "restore", removed, deleted)
    assert "Its author deleted it. (1)" in page and "1 item done." in page
    assert states(removed, deleted) == ["shown", "removed"]


def test_reports_are_a_queue(as_mallory, bob, carol, alice, post):
    spam, fine = post.comment(bob, "spam"), post.comment(bob, "fine")
    for said in (spam, fine):
        said.report(carol, f"I do not like <b>{said}</b>")
    spam.report(alice, "advertising")
    page = as_mallory.get("/admin/moderation/report/").content.decode()
    assert "advertising" in page and "I do not like &lt;b&gt;fine" in page
    assert '<b id="queue-reported">2</b>' in page
    chosen = {"_selected_action": [spam.reports.first().pk]}
    as_mallory.post("/admin/moderation/report/", chosen | {"action": "remove", "reason": "advertising"})
    as_mallory.post("/admin/moderation/report/", {"_selected_action": [fine.reports.get().pk], "action": "keep"})
    assert states(spam, fine) == ["removed", "shown"]
    page = as_mallory.get("/admin/moderation/report/").content.decode()
    assert "advertising" not in page and '<b id="queue-reported">0</b>' in page
    assert "advertising" in as_mallory.get("/admin/moderation/report/?settled=yes").content.decode()


def test_authors_are_banned_and_purged_from_the_list(as_mallory, bob, carol, post):
    said = [post.comment(bob, f"spam {n}") for n in range(3)]
    other = post.comment(carol, "hello")
    assert "purge" in decide(as_mallory, "ban", said[0])
    decide(as_mallory, "ban", said[0], reason="spam", purge="on")
    bob.refresh_from_db()
    assert not bob.is_active and states(*said, other) == ["removed"] * 3 + ["shown"]


def test_a_comments_history_stands_beside_it(as_mallory, bob, carol, mallory, post):
    said = post.comment(bob, "first words")
    said.revise(bob, "second words")
    said.report(carol, "they were better before")
    said.remove(mallory, "both were bad")
    page = as_mallory.get(f"/admin/posts/comment/{said.pk}/change/").content.decode()
    assert all(text in page for text in ("first words", "they were better before", "both were bad", "mallory"))


def test_only_moderators_see_the_queue_and_the_reports(as_editor, bob, carol, post):
    said = post.comment(bob, "hello")
    said.report(carol, "a secret accusation")
    assert "queue-waiting" not in as_editor.get("/admin/").content.decode()
    page = as_editor.get(f"/admin/posts/comment/{said.pk}/change/").content.decode()
    assert "hello" in page and "accusation" not in page
    assert as_editor.get("/admin/moderation/report/").status_code == 403
    decide(as_editor, "remove", said, reason="because I can")
    assert states(said) == ["shown"]


def test_moderators_keep_the_list_of_suspect_words(as_mallory):
    assert as_mallory.post("/admin/moderation/suspectword/add/", {"word": "casino"}).status_code == 302
    assert SuspectWord.objects.get().word == "casino"


def test_reports_and_actions_of_all_kinds_are_in_one_list_each_and_can_be_told_apart(
    as_mallory, bob, carol, post, lobby
):
    comment, message = post.comment(bob, "a comment"), lobby.say(bob, "a line")
    for target in (comment, message):
        target.report(carol, f"I do not like {target}")
    reports = "/admin/moderation/report/"
    assert '<b id="queue-reported">2</b>' in as_mallory.get(reports).content.decode()
    for kind, wanted, other in (("comment", "a comment", "a line"), ("message", "a line", "a comment")):
        page = as_mallory.get(f"{reports}?of={kind}").content.decode()
        assert f"I do not like {wanted}" in page and f"I do not like {other}" not in page
        page = as_mallory.get(f"{reports}?q={wanted[2:]}").content.decode()
        assert f"I do not like {wanted}" in page and f"I do not like {other}" not in page
    chosen = {"_selected_action": [target.reports.get().pk for target in (comment, message)], "action": "remove"}
    page = as_mallory.post(reports, chosen).content.decode()
    assert "bob: a comment" in page and "bob: a line" in page
    page = as_mallory.post(reports, chosen | {"reason": "both bad"}, follow=True).content.decode()
    assert "2 items done." in page and '<b id="queue-reported">0</b>' in page
    assert states(comment) == ["removed"] and not lobby.messages.visible().exists()
    actions = as_mallory.get("/admin/moderation/action/?of=message&kind__exact=removed").content.decode()
    assert "a line" in actions and "both bad" in actions and "a comment" not in actions
    action = message.actions.get()
    assert "both bad" in as_mallory.get(f"/admin/moderation/action/{action.pk}/change/").content.decode()


def test_a_reported_line_is_shown_among_those_around_it(as_mallory, bob, carol, lobby):
    lines = [lobby.say(bob, f"line {n}") for n in range(9)]
    lines[4].report(carol, "rude")
    page = as_mallory.get(f"/admin/moderation/report/{lines[4].reports.get().pk}/change/").content.decode()
    assert "<b>bob</b>: line 4" in page
    assert [n for n in range(9) if f"line {n}" in page] == [1, 2, 3, 4, 5, 6, 7]


def test_the_same_line_reported_twice_is_decided_once(as_mallory, bob, carol, alice, lobby):
    message = lobby.say(bob, "hello")
    for person in (alice, carol):
        message.report(person, "rude")
    chosen = {"_selected_action": list(message.reports.values_list("pk", flat=True)), "action": "keep"}
    assert "1 item done." in as_mallory.post("/admin/moderation/report/", chosen, follow=True).content.decode()
    assert [action.kind for action in message.actions.all()] == ["kept"] and not message.reports.open().exists()


def test_the_lists_ask_the_database_no_more_often_for_many_rows(
    as_mallory, bob, carol, post, lobby, django_assert_max_num_queries
):
    for n in range(20):
        for target in (post.comment(bob, f"comment {n}"), lobby.say(bob, f"line {n}")):
            target.report(carol, "rude")
            target.remove(Person.objects.get(username="mallory"), "rude")
    for address in ("report/?settled=all", "action/"):
        with django_assert_max_num_queries(30):
            assert b"line 19" in as_mallory.get(f"/admin/moderation/{address}").content


def test_lines_are_removed_and_put_back_from_the_list(as_mallory, bob, lobby):
    message = lobby.say(bob, "buy now")
    chosen = {"action": "remove", "_selected_action": [message.pk]}
    for reason, left in [("", 1), ("advertising", 0)]:
        as_mallory.post("/admin/rooms/message/", chosen | {"reason": reason})
        assert lobby.messages.visible().count() == left
    page = as_mallory.get(f"/admin/rooms/message/{message.pk}/change/").content.decode()
    assert "advertising" in page and "mallory" in page
    as_mallory.post("/admin/rooms/message/", chosen | {"action": "restore"})
    assert lobby.messages.visible().count() == 1

"""Moderation of comments: who may decide what, what the pages show then, and what is remembered of it."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.test import Client

from live import fragments
from live.cursors import cursors
from live.deltas import delta
from live.streams import find, name_of
from moderation.models import QUEUE, Purge, Report
from moderation.models.purge import BATCH, purge_due
from moderation.tests.conftest import CLIENT_INFO, wait
from people.models import Person
from people.rules import Refused
from posts.models import Comment

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/posts/a-day-at-the-sea/"}


def states(*comments):
    return [Comment.objects.get(pk=comment.pk).state for comment in comments]


def history(comment):
    """Oldest first: what was decided, and by whom."""
    return [(one.kind, one.by and one.by.username, one.reason) for one in comment.actions.order_by("pk")]


def refusal(function, *arguments):
    with pytest.raises(Refused) as caught:
        function(*arguments)
    return caught.value.messages[0]


def missed(thing, cursor):
    """What a page at ``cursor`` is told of the stream of ``thing``."""
    return delta(find(name_of(thing)), cursor.tick)[0]


def page_of(person, post):
    client = Client()
    if person:
        client.force_login(person)
    return client.get(post.get_absolute_url()).content.decode()


def count(post):
    post.refresh_from_db()
    return post.comment_count


# Waiting


def test_what_waits_is_seen_by_its_author_and_moderators_only(post, bob, carol, mallory):
    post.comment(carol, "shown")
    [before] = cursors(post)
    said = wait(post, bob, "a secret word")
    for person in (bob, mallory):
        page = page_of(person, post)
        assert "a secret word" in page and "Your comment waits for review." in page
    for person in (None, carol, post.author):
        assert "secret" not in page_of(person, post)
        assert f"comment-{said.pk}" not in page_of(person, post)
    assert cursors(post) == [before] and not missed(post, before)
    assert count(post) == 1
    assert "secret" not in delta(find(name_of(post)), 10**6)[0]
    client = Client()
    for reader, status in ((carol, 404), (bob, 200), (mallory, 200)):
        client.force_login(reader)
        for address in ("", "replies/"):
            assert client.get(f"/comments/{said.pk}/{address}").status_code == status
    assert Client().get(f"/comments/{said.pk}/").status_code == 404


def test_its_author_sees_it_at_once_and_in_its_place(post, bob, carol, settings):
    settings.REVIEW = True
    above = post.comment(carol, "a question")
    client = Client()
    client.force_login(bob)
    address = f"/posts/{post.slug}/comments/"
    html = client.post(address, {"body": "an answer", "parent": above.pk}, headers=HTMX).content.decode()
    said = Comment.objects.get(author=bob)
    assert f'hx-target="#replies-{above.pk}:not(' in html and "an answer" in html
    assert "Your comment waits for review." in html
    answer = client.post(address, {"body": "without a script"})
    assert answer.url.endswith(f"#comment-{said.pk + 1}")
    assert "without a script" in client.get(answer.url).content.decode()


def test_its_author_may_edit_and_delete_it_and_nobody_hears_of_it(post, bob, mallory):
    said = wait(post, bob, "frist")
    [before] = cursors(post)
    said.revise(bob, "first")
    assert "first" not in missed(post, before)
    assert "first" in page_of(mallory, post)
    said.remove(bob)
    assert states(said) == ["removed"] and count(post) == 0
    assert "first" not in missed(post, before)


def test_nobody_answers_what_waits(post, bob, mallory):
    said = wait(post, bob, "hello")
    assert refusal(post.comment, mallory, "hi", said) == "That comment waits for review: nobody can answer it yet."


def test_approval_is_its_birth_at_its_place(post, bob, carol, mallory):
    said = wait(post, bob, "patience")
    post.comment(carol, "a later one")
    [before] = cursors(post)
    told = []
    Comment.notify, notify = lambda comment: told.append(comment.pk), Comment.notify
    try:
        said.approve(mallory)
        said.approve(mallory)
    finally:
        Comment.notify = notify
    assert told == [said.pk]
    text = missed(post, before)
    assert "patience" in text and 'hx-target="#comments:not(' in text and "waits" not in text
    assert count(post) == 2
    page = page_of(None, post)
    assert page.index("a later one") < page.index("patience")
    assert history(said) == [("new", None, ""), ("approved", "mallory", "")]


def test_a_rejected_comment_leaves_the_pages_that_had_it(post, bob, mallory):
    said = wait(post, bob, "a secret word")
    [before] = cursors(post)
    assert refusal(said.reject, mallory, " ") == "Say why you reject it."
    said.reject(mallory, "off topic")
    text = missed(post, before)
    assert f'hx-target="#comment-{said.pk}:not({fragments.TYPED})" hx-swap="delete"' in text and "secret" not in text
    for person in (None, bob, mallory):
        assert "secret" not in page_of(person, post)
    assert count(post) == 0
    said.approve(mallory)
    assert states(said) == ["shown"] and said.reason == "" and count(post) == 1
    assert [what for what, *_ in history(said)] == ["new", "rejected", "approved"]


def test_what_answered_a_comment_that_is_gone_brings_a_tombstone_back(post, bob, carol, mallory):
    top = post.comment(carol, "top")
    middle = post.comment(carol, "middle", top)
    said = wait(post, bob, "leaf", middle)
    middle.remove(carol)
    top.remove(carol)
    assert states(top, middle) == ["removed", "removed"]
    [before] = cursors(post)
    said.approve(mallory)
    assert states(top, middle, said) == ["tombstone", "tombstone", "shown"]
    text = missed(post, before)
    assert text.index(f'id="comment-{top.pk}"') < text.index(f'id="comment-{middle.pk}"') < text.index("leaf")
    assert count(post) == 1


# Removing and restoring


def test_a_removed_comment_comes_back_with_its_replies_where_they_were(post, bob, carol, mallory):
    top = post.comment(bob, "top")
    reply = post.comment(carol, "reply", top)
    top.remove(mallory, "a mistake")
    assert "Removed by a moderator: a mistake" in page_of(None, post)
    [before] = cursors(post)
    top.restore(mallory)
    top.restore(mallory)
    text = missed(post, before)
    assert f'hx-target="#comment-{top.pk}-body"' in text and "hx-upsert" not in text  # that would lose the reply
    assert states(top, reply) == ["shown", "shown"] and count(post) == 2
    assert history(top) == [("removed", "mallory", "a mistake"), ("restored", "mallory", "")]


def test_what_its_author_deleted_stays_deleted(post, bob, mallory):
    said = post.comment(bob, "hello")
    said.remove(bob)
    assert refusal(said.restore, mallory) == "Its author deleted it."


def test_others_decide_nothing(post, bob, carol):
    said, waiting = post.comment(bob, "hello"), wait(post, carol, "hello?")
    for person in (bob, carol, post.author):
        for verb, *reason in [("approve",), ("reject", "x"), ("restore",), ("keep",), ("ban_author", "x")]:
            for comment in (said, waiting):
                with pytest.raises(PermissionDenied):
                    getattr(comment, verb)(person, *reason)
    with pytest.raises(PermissionDenied):
        said.remove(carol, "x")
    assert states(said, waiting) == ["shown", "waiting"]


# Reports


def test_everybody_reports_once_with_a_reason(post, bob, carol, mallory):
    said = post.comment(bob, "buy now")
    assert refusal(said.report, carol, "") == "Say what is wrong with it."
    assert refusal(said.report, carol, "x" * 201) == "A reason can have at most 200 characters."
    [before] = cursors(QUEUE)
    said.report(carol, " adver\0tising\r\n of \n pills")
    assert said.reports.get().reason == "advertising of pills"
    assert refusal(said.report, carol, "still") == "You have reported this already. Thank you."
    assert refusal(said.report, bob, "it is mine") == "This is your own."
    assert 'hx-target="#queue-reported" hx-swap="textContent">1<' in missed(QUEUE, before)
    said.keep(mallory)
    said.keep(mallory)
    assert 'hx-target="#queue-reported" hx-swap="textContent">0<' in missed(QUEUE, before)
    assert history(said) == [("kept", "mallory", "")] and states(said) == ["shown"]


def test_a_report_is_settled_when_its_comment_goes(post, bob, carol, mallory):
    for remover, *reason in ((bob,), (mallory, "advertising")):
        said = post.comment(bob, f"for {remover}")
        said.report(carol, "advertising")
        said.remove(remover, *reason)
        assert not Report.objects.open().exists()


def test_too_many_reports_are_too_many(post, bob, carol, settings):
    settings.RATES_OF = {"report": {"person": [(2, 60)]}}
    said = [post.comment(bob, f"comment {n}") for n in range(3)]
    for one in said[:2]:
        one.report(carol, "no", CLIENT_INFO)
    client = Client()
    client.force_login(carol)
    answer = client.post(f"/comments/{said[2].pk}/report/", {"reason": "no, no"}, headers=HTMX)
    assert answer.status_code == 422 and 0 < int(answer["Retry-After"]) <= 60
    assert "no, no" in answer.content.decode()


def test_the_queue_is_heard_by_moderators_only(post, bob, mallory):
    queue = find(name_of(QUEUE))
    assert [queue.allows(one) for one in (AnonymousUser(), bob, post.author, mallory)] == [False] * 3 + [True]


# Bans


def test_a_ban_ends_the_account_and_a_purge_what_it_said(post, bob, carol, mallory):
    said, waiting = post.comment(bob, "spam"), wait(post, bob, "more spam")
    reply = post.comment(carol, "really?", said)
    assert refusal(said.ban_author, mallory, "") == "Say why you ban this person."
    said.ban_author(mallory, "spam", purge=True)
    bob.refresh_from_db()
    assert not bob.is_active
    assert states(said, waiting, reply) == ["tombstone", "rejected", "shown"] and count(post) == 1
    assert ("banned", "mallory", "spam") in history(said)
    assert "Removed by a moderator: spam" in page_of(None, post)


def test_a_ban_alone_leaves_the_comments(post, bob, mallory):
    said = post.comment(bob, "hello")
    said.ban_author(mallory, "rude elsewhere")
    assert states(said) == ["shown"] and not Purge.objects.exists()


def test_moderators_ban_neither_the_staff_nor_themselves(post, alice, mallory):
    for author in (alice, mallory):
        said = post.comment(author, f"I am {author}")
        assert refusal(said.ban_author, mallory, "why not", True) == "You may not ban this person."
        assert states(said) == ["shown"]


def test_a_large_purge_is_carried_on_by_the_pulse_and_spares_what_came_later(post, bob, mallory):
    said = [post.comment(bob, f"spam {n}") for n in range(BATCH + 5)]
    said[0].ban_author(mallory, "spam", purge=True)
    assert states(*said).count("removed") == BATCH
    later = post.comment(bob, "back again")
    purge_due()
    purge_due()
    assert set(states(*said)) == {"removed"} and states(later) == ["shown"]
    assert not Purge.objects.filter(done_at=None).exists()


# In place


def test_the_menu_is_for_moderators_and_as_missing_as_none_for_others(post, bob, carol, client):
    said = post.comment(bob, "hello")
    addresses = [f"/comments/{said.pk}/{verb}/" for verb in ("approve", "reject", "remove", "restore", "keep", "ban")]
    for address in addresses:
        assert client.post(address).url.startswith("/accounts/login/")
    for person in (bob, carol, post.author):
        client.force_login(person)
        assert client.get(f"/comments/{said.pk}/menu/").status_code == 404
        for address in addresses:
            assert client.post(address, {"reason": "x"}).status_code == 404
            assert client.get(address).status_code == 405
    assert states(said) == ["shown"]


def test_the_controls_are_the_same_bytes_for_all_and_one_sheet_shows_them(post, bob, mallory, client):
    post.comment(bob, "hello")
    assert "moderation.css" in page_of(mallory, post)
    for person in (None, bob, post.author):
        assert "moderation.css" not in page_of(person, post)
    assert page_of(None, post) == page_of(None, post)
    assert ".report { display: revert }" in client.get(f"/own/{bob.pk}.css").content.decode()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_moderator_decides_in_place(post, bob, carol, as_mallory, headers):
    waiting = wait(post, bob, "waiting for you")
    menu = as_mallory.get(f"/comments/{waiting.pk}/menu/", headers=headers).content.decode()
    assert f"/comments/{waiting.pk}/approve/" in menu and "waits: its author is new" in menu
    answer = as_mallory.post(f"/comments/{waiting.pk}/approve/", headers=headers)
    assert answer.status_code == (200 if headers else 302)
    assert states(waiting) == ["shown"]
    answer = as_mallory.post(f"/comments/{waiting.pk}/remove/", {"reason": ""}, headers=headers)
    assert answer.status_code == 422 and "Say why you remove it." in answer.content.decode()
    as_mallory.post(f"/comments/{waiting.pk}/remove/", {"reason": "<b>off topic</b>"}, headers=headers)
    assert states(waiting) == ["removed"]
    menu = as_mallory.get(f"/comments/{waiting.pk}/menu/", headers=headers).content.decode()
    assert f"/comments/{waiting.pk}/restore/" in menu and "&lt;b&gt;off topic" in menu
    as_mallory.post(f"/comments/{waiting.pk}/restore/", headers=headers)
    assert states(waiting) == ["shown"]
    answer = as_mallory.post(f"/comments/{waiting.pk}/ban/", {"reason": "", "purge": "on"}, headers=headers)
    assert answer.status_code == 422 and "Say why you ban this person." in answer.content.decode()
    as_mallory.post(f"/comments/{waiting.pk}/ban/", {"reason": "spam", "purge": "on"}, headers=headers)
    assert states(waiting) == ["removed"] and not Person.objects.get(pk=bob.pk).is_active


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_reader_reports_in_place(post, bob, carol, client, headers):
    said = post.comment(bob, "buy now")
    address = f"/comments/{said.pk}/report/"
    assert client.get(address).url.startswith("/accounts/login/")
    client.force_login(carol)
    assert "What is wrong with it?" in client.get(address, headers=headers).content.decode()
    assert client.post(address, {"reason": " "}, headers=headers).status_code == 422
    answer = client.post(address, {"reason": "advertising"}, headers=headers, follow=True)
    assert "Thank you. A moderator will look at it." in answer.content.decode()
    again = client.post(address, {"reason": "I said so"}, headers=headers)
    assert again.status_code == 422 and "You have reported this already." in again.content.decode()
    assert said.reports.get().reason == "advertising"


def test_what_nobody_may_read_nobody_reports(post, bob, carol, client):
    waiting = wait(post, bob, "secret")
    client.force_login(carol)
    assert client.get(f"/comments/{waiting.pk}/report/").status_code == 404
    said = post.comment(bob, "secret too")
    post.unpublish()
    assert client.post(f"/comments/{said.pk}/report/", {"reason": "x"}).status_code == 404

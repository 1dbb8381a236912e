"""What part of a thread a page shows, and what it costs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from live.deltas import delta
from live.streams import find, name_of
from posts import threads
from posts.models import Comment


def many(post, author, number, parent=None):
    """``number`` comments at once, as rows; the list."""
    made = [Comment(post=post, author=author, body=f"{n}", html=f"<p>{n}</p>") for n in range(number)]
    for comment in made:
        comment.place(parent)
    return Comment.objects.bulk_create(made)


def bodies(comments):
    return [comment.body for comment in comments]


def test_a_page_shows_the_newest_fifty_and_leads_to_older_ones(post, bob):
    many(post, bob, 60)
    first, more = threads.newest(post)
    assert (len(first), first[0].body, more) == (50, "59", True)
    rest, more = threads.newest(post, before=first[-1].pk)
    assert bodies(rest) == [str(n) for n in range(9, -1, -1)] and not more


def test_replies_stand_oldest_first_twenty_at_a_time(post, bob):
    top = post.comment(bob, "top")
    many(post, bob, 45, top)
    [shown], _ = threads.newest(post)
    assert bodies(shown.replies) == [str(n) for n in range(20)]
    assert (shown.more_replies, shown.last_reply) == (25, shown.replies[-1].pk)
    next_ones, more = threads.answers(top, shown.last_reply)
    assert bodies(next_ones) == [str(n) for n in range(20, 40)] and more
    last_ones, more = threads.answers(top, next_ones[-1].pk)
    assert bodies(last_ones) == [str(n) for n in range(40, 45)] and not more


def test_a_permalink_loads_its_branch_however_far_down_it_is(post, bob):
    top = post.comment(bob, "top")
    many(post, bob, 30, top)
    late = post.comment(bob, "late", top)
    deep = post.comment(bob, "deep", late)
    root = threads.branch(deep)
    assert root == top
    assert bodies(root.replies)[-1] == "late"
    assert bodies(root.replies[-1].replies) == ["deep"]


def test_no_thread_makes_a_page_endless_and_the_rest_is_one_click_away(post, bob, client):
    tops = many(post, bob, 40)
    for top in tops:
        for middle in many(post, bob, 15, top):
            many(post, bob, 1, middle)
    shown, _ = threads.newest(post)
    middles = [reply for top in shown for reply in top.replies]
    leaves = [leaf for middle in middles for leaf in middle.replies]
    assert len(middles) + len(leaves) == 500
    assert all(len(top.replies) + top.more_replies == 15 for top in shown)
    [full] = [top for top in shown if top.replies and top.pk == tops[0].pk]
    assert [(one.more_replies, one.last_reply) for one in full.replies] == [(1, 0)] * 15
    html = client.get(f"/comments/{full.replies[0].pk}/replies/?after=0", headers={"HX-Request": "true"}).content
    assert html.count(b'class="comment ') == 1


def queries(function, *arguments):
    with CaptureQueriesContext(
        connection,
    ) as caught:
        function(*arguments)
    return len(caught)


@pytest.mark.django_db
def test_a_page_costs_the_same_queries_for_ten_comments_and_for_a_thousand(post, bob, client):
    def page():
        assert client.get(post.get_absolute_url()).status_code == 200

    many(post, bob, 10)
    few = queries(page)
    for top in many(post, bob, 90):
        many(post, bob, 10, top)
    assert post.comments.count() == 1000
    assert queries(page) == few


def test_a_delta_costs_the_same_queries_for_ten_comments_and_for_a_thousand(post, bob):
    many(post, bob, 10)

    def one_more(text):
        said = post.comment(bob, text)
        return queries(lambda: delta(find(name_of(post)), said.changed - 1))

    few = one_more("a")
    many(post, bob, 990)
    assert one_more("b") == few


def test_a_delta_grows_with_what_changed_only(post, bob):
    many(post, bob, 1000)
    said = post.comment(bob, "news")
    text, head = delta(find(name_of(post)), said.changed - 1)
    assert head == said.changed
    assert text.count('class="comment ') == 1

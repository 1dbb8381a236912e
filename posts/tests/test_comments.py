"""What people may say, and what becomes of it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone, translation

from people.rules import Closed, Refused
from posts.models import Comment


def aged(comment, **age):
    """Make ``comment`` as old as ``age`` (of timedelta)."""
    Comment.objects.filter(pk=comment.pk).update(created_at=timezone.now() - timedelta(**age))
    comment.refresh_from_db()
    return comment


def refusal(function, *arguments):
    with pytest.raises(Refused) as caught:
        function(*arguments)
    return caught.value.messages[0]


def thread(post, author, depth):
    """A chain of comments down to ``depth``; the last one."""
    comment = post.comment(author, "level 0")
    for level in range(1, depth + 1):
        comment = post.comment(author, f"level {level}", comment)
    return comment


def test_a_comment_is_counted_and_kept_as_written(post, bob):
    said = post.comment(bob, "  Nice *photo*!\r\n")
    said.refresh_from_db()
    assert (said.body, said.html) == ("Nice *photo*!", "<p>Nice <em>photo</em>!</p>\n")
    post.refresh_from_db()
    assert post.comment_count == 1


def test_lengths_count_code_points_after_normalising(post, bob):
    assert post.comment(bob, "e\u0301" * 4000).body == "é" * 4000
    assert post.comment(bob, "🦀" * 4000)
    assert refusal(post.comment, bob, "x" * 4001) == "Comments can have at most 4000 characters (yours has 4001)."
    assert refusal(post.comment, bob, " \n\t ") == "Write something first."
    assert post.comments.count() == 2


def test_refusals_speak_chinese(post, bob):
    with translation.override("zh-hans"):
        assert refusal(post.comment, bob, "") == "请先写点内容。"
        assert refusal(post.comment, bob, "x" * 4001) == "评论最多 4000 个字符（当前 4001 个）。"


def test_a_thread_is_at_most_18_levels_deep(post, bob):
    last = thread(post, bob, 18)
    assert last.depth == 18
    assert refusal(post.comment, bob, "one more", last) == "This thread is too deep. Reply higher up."


def test_a_comment_sent_five_times_is_kept_once(post, bob):
    key = uuid4()
    said = [post.comment(bob, f"attempt {n}", None, key) for n in range(5)]
    assert {one.pk for one in said} == {said[0].pk}
    post.refresh_from_db()
    assert post.comment_count == post.comments.count() == 1


def test_the_same_words_twice_within_five_minutes_are_a_single_comment(post, bob, carol):
    first = post.comment(bob, "hello")
    assert post.comment(bob, "hello") == first
    assert post.comment(carol, "hello") != first
    assert post.comment(bob, "hello", first) != first
    aged(first, minutes=6)
    assert post.comment(bob, "hello") != first


def test_one_may_not_answer_what_was_removed(post, bob, carol):
    said = post.comment(bob, "hello")
    said.remove(bob)
    assert refusal(post.comment, carol, "hi", said) == "That comment was removed while you were writing."


def test_closed_comments_take_nothing(post, bob):
    post.close_comments()
    with pytest.raises(Closed) as caught:
        post.comment(bob, "hello")
    assert caught.value.status == 403
    assert not post.comments.exists()


def test_an_edit_is_silent_for_a_minute_then_marked_then_refused(post, bob):
    said = post.comment(bob, "frist")
    said.revise(bob, "first")
    assert (said.body, said.edited_at) == ("first", None)
    aged(said, minutes=2)
    said.revise(bob, "first!")
    assert said.edited_at
    aged(said, minutes=16)
    assert refusal(said.revise, bob, "last") == "The time to edit this comment has passed."
    assert list(said.revisions.values_list("body", flat=True)) == ["first", "frist"]


def test_only_its_author_edits_a_comment(post, bob, carol, mallory):
    said = post.comment(bob, "hello")
    for other in (carol, mallory):
        with pytest.raises(PermissionDenied):
            said.revise(other, "I said this")
    said.refresh_from_db()
    assert said.body == "hello"


def test_a_comment_with_replies_leaves_a_tombstone_until_the_last_reply_goes(post, bob, carol):
    top = post.comment(bob, "top")
    middle = post.comment(carol, "middle", top)
    leaf = post.comment(bob, "leaf", middle)
    top.remove(bob)
    middle.remove(carol)
    assert states(top, middle, leaf) == ["tombstone", "tombstone", "shown"]
    leaf.remove(bob)
    assert states(top, middle, leaf) == ["removed", "removed", "removed"]
    post.refresh_from_db()
    assert post.comment_count == 0


def states(*comments):
    return [Comment.objects.get(pk=comment.pk).state for comment in comments]


def test_removing_twice_counts_once(post, bob):
    post.comment(bob, "stays")
    said = post.comment(bob, "goes")
    said.remove(bob)
    said.remove(bob)
    post.refresh_from_db()
    assert post.comment_count == 1


def test_an_author_deletes_for_a_fortnight(post, bob):
    said = aged(post.comment(bob, "hello"), days=15)
    assert refusal(said.remove, bob) == "The time to delete this comment has passed."


def test_a_moderator_removes_with_a_reason_and_others_not_at_all(post, bob, carol, mallory):
    said = post.comment(bob, "buy now")
    with pytest.raises(PermissionDenied):
        said.remove(carol, "I do not like it")
    assert refusal(said.remove, mallory, " ") == "Say why you remove it."
    said.remove(mallory, "advertising")
    assert states(said) == ["removed"]
    assert (said.removed_by, said.reason) == (mallory, "advertising")

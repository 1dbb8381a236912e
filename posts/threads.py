"""Reads the part of a post's comments that one page shows, in a constant number of queries.

``reader`` is whose page it is: some see comments that wait for review.
"""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber

NOBODY = AnonymousUser()


def newest(post, before=None, reader=NOBODY):
    """The newest top-level comments of ``post``, each with its branch, and whether there are older ones.

    ``before`` (int, a comment's id) asks for those older than it. → ``(comments, more)``
    """
    roots = post.comments.seen_by(reader).filter(parent=None).drawn().order_by("-pk")
    if before:
        roots = roots.filter(pk__lt=before)
    roots = list(roots[: settings.COMMENTS_PER_PAGE + 1])
    more = len(roots) > settings.COMMENTS_PER_PAGE
    roots = roots[: settings.COMMENTS_PER_PAGE]
    hang(roots, post.comments.filter(root__in=roots).seen_by(reader))
    return roots, more


def branch(comment, reader=NOBODY):
    """The top-level ancestor of ``comment`` with its branch, in which ``comment`` is surely loaded."""
    path, above = [comment], comment
    while above.parent_id:
        above = type(comment).objects.drawn().get(pk=above.parent_id)
        path.append(above)
    root = path.pop()
    hang([root], comment.post.comments.filter(root=root).seen_by(reader), path[::-1])
    return root


def answers(comment, after, reader=NOBODY):
    """The answers to ``comment`` that follow the one with the id ``after`` (int), with their branches.

    → as ``newest``
    """
    direct = comment.answers.seen_by(reader).filter(pk__gt=after).drawn().order_by("pk")
    direct = list(direct[: settings.REPLIES_PER_PAGE + 1])
    more = len(direct) > settings.REPLIES_PER_PAGE
    direct = direct[: settings.REPLIES_PER_PAGE]
    root = comment.root_id or comment.pk
    hang(direct, comment.post.comments.filter(root=root, depth__gt=comment.depth + 1).seen_by(reader))
    return direct, more


def hang(trunk, below, path=()):
    """Hang the first replies of each comment among ``below`` (QuerySet) under it, starting from ``trunk`` (list).

    Not more than ``REPLIES_IN_ALL``, the upper levels first, so that no thread makes a page endless. Comments of
    ``path`` hang in any case, whatever number of replies stands before them.
    """
    replies = (
        below.drawn()
        .annotate(
            rank=Window(RowNumber(), partition_by=F("parent"), order_by="pk"),
            siblings=Window(Count("pk"), partition_by=F("parent")),
        )
        .filter(rank__lte=settings.REPLIES_PER_PAGE)
        .order_by("depth", "pk")  # what stands above comes first
    )
    replies = list(replies[: settings.REPLIES_IN_ALL + 1])
    hanging = {comment.pk: comment for comment in trunk}
    for comment in trunk:
        comment.replies = []
    for reply in [*replies[: settings.REPLIES_IN_ALL], *path]:
        above = hanging.get(reply.parent_id)
        if above is None or reply.pk in hanging:
            continue
        hanging[reply.pk] = reply
        reply.replies = []
        above.replies.append(reply)
        if rank := getattr(reply, "rank", None):
            above.more_replies = reply.siblings - rank
            above.last_reply = reply.pk
    if len(replies) > settings.REPLIES_IN_ALL:  # some have replies of which none is here
        bare = [comment.pk for comment in hanging.values() if not comment.replies]
        for row in below.filter(parent__in=bare).order_by().values("parent").annotate(number=Count("pk")):
            above = hanging[row["parent"]]
            above.more_replies, above.last_reply = row["number"], 0

"""Reads the part of a post's comments that one page shows, in a constant number of queries.

``reader`` is whose page it is: some see comments that wait for review. ``state`` (``PageState``) says what the page
held before: it gets as much again, within bounds, and a place for each form that is open.
"""

from functools import reduce
from operator import or_

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber

from live.again import PageState

NOBODY = AnonymousUser()
FRESH = PageState()


def newest(post, before=None, reader=NOBODY, state=FRESH):
    """The newest top-level comments of ``post``, each with its branch, and whether there are older ones.

    ``before`` (int, a comment's id) asks for those older than it. → ``(comments, more)``
    """
    roots = post.comments.seen_by(reader).filter(parent=None).with_related().order_by("-pk")
    if before:
        roots = roots.filter(pk__lt=before)
    most = settings.COMMENTS_PER_PAGE
    if state.upto is not None:
        most = max(most, roots.filter(pk__gte=state.upto).order_by()[: settings.COMMENTS_HELD].count())
    roots = list(roots[: most + 1])
    more = len(roots) > most
    roots = roots[:most]
    oldest = roots[-1] if roots else None
    places = [one for one in with_ancestors(post, state.open, reader) if not before or (one.root_id or one.pk) < before]
    ours = {root.pk for root in roots}
    roots += [one for one in places if not one.parent_id and one.pk not in ours]
    roots.sort(key=lambda root: -root.pk)
    below = post.comments.filter(root__in=roots).seen_by(reader)
    hang(roots, below, [one for one in places if one.parent_id], state.more)
    for root in roots:
        root.is_oldest = root is oldest  # of those between which none is missing: older ones follow it
    return roots, more


def oldest_of(roots):
    """That of ``roots`` (list of Comment, from ``newest``) from which on none is missing, or None."""
    return next((root for root in roots if root.is_oldest), None)


def branch(comment, reader=NOBODY, state=FRESH):
    """The top-level ancestor of ``comment`` with its branch, in which ``comment`` is surely loaded."""
    path, above = [comment], comment
    while above.parent_id:
        above = type(comment).objects.with_related().get(pk=above.parent_id)
        path.append(above)
    root = path.pop()
    places = with_ancestors(comment.post, state.open, reader)
    path = path[::-1] + [one for one in places if one.root_id == root.pk]
    hang([root], comment.post.comments.filter(root=root).seen_by(reader), path, state.more)
    return root


def with_ancestors(post, ids, reader):
    """The comments ``ids`` of ``post`` with all above them, those above first; some are only places (``is_place``).

    A place is what ``reader`` sees no more, but has a form open in: nothing of it is shown.
    """
    found, wanted = {}, set(ids)
    while wanted:
        rows = {row.pk: row for row in post.comments.filter(pk__in=wanted).with_related()}
        found |= rows
        wanted = {row.parent_id for row in rows.values()} - {None} - found.keys()
    seen = set(post.comments.seen_by(reader).filter(pk__in=found).values_list("pk", flat=True)) if found else set()
    for row in found.values():
        row.is_place, row.replies = row.pk not in seen, []
    return sorted(found.values(), key=lambda row: (row.depth, row.pk))


def answers(comment, after, reader=NOBODY):
    """The answers to ``comment`` that follow the one with the id ``after`` (int), with their branches.

    → as ``newest``
    """
    direct = comment.answers.seen_by(reader).filter(pk__gt=after).with_related().order_by("pk")
    direct = list(direct[: settings.REPLIES_PER_PAGE + 1])
    more = len(direct) > settings.REPLIES_PER_PAGE
    direct = direct[: settings.REPLIES_PER_PAGE]
    root = comment.root_id or comment.pk
    hang(direct, comment.post.comments.filter(root=root, depth__gt=comment.depth + 1).seen_by(reader))
    return direct, more


def hang(trunk, below, path=(), loaded=None):
    """Hang the first replies of each comment among ``below`` (QuerySet) under it, starting from ``trunk`` (list).

    Not more than ``REPLIES_IN_ALL``, the upper levels first, so that no thread makes a page endless. Comments of
    ``path`` hang in any case, whatever number of replies stands before them. Of those in ``loaded`` (dict of id to the
    id of a reply) more hang than the first: the replies up to that one, as many again in all.
    """
    replies = (
        below.with_related()
        .annotate(
            rank=Window(RowNumber(), partition_by=F("parent"), order_by="pk"),
            siblings=Window(Count("pk"), partition_by=F("parent")),
        )
        .filter(rank__lte=settings.REPLIES_PER_PAGE)
        .order_by("depth", "pk")  # what stands above comes first
    )
    replies = list(replies[: settings.REPLIES_IN_ALL + 1])
    first = replies[: settings.REPLIES_IN_ALL]
    hanging = {comment.pk: comment for comment in trunk}
    for comment in trunk:
        comment.replies = []
    for reply in [*with_loaded(first, below, loaded), *path]:
        above = hanging.get(reply.parent_id)
        if above is None or reply.pk in hanging:
            continue
        hanging[reply.pk] = reply
        reply.replies = []
        above.replies.append(reply)
        if rank := getattr(reply, "rank", None):
            above.more_replies = reply.siblings - rank
            above.last_reply = reply.pk
            above.loaded = reply.pk if loaded and above.pk in loaded else None
        else:
            above.replies.sort(key=lambda one: one.pk)
    if len(replies) > settings.REPLIES_IN_ALL:  # some have replies of which none is here
        bare = [comment.pk for comment in hanging.values() if not comment.replies]
        for row in below.filter(parent__in=bare).order_by().values("parent").annotate(number=Count("pk")):
            above = hanging[row["parent"]]
            above.more_replies, above.last_reply = row["number"], 0


def with_loaded(first, below, loaded):
    """The replies ``first`` (list), and those among ``below`` that follow them up to what ``loaded`` says (dict)."""
    siblings = {reply.parent_id: reply.siblings for reply in first}
    upto = [Q(parent=pk, pk__lte=last) for pk, last in (loaded or {}).items() if pk in siblings]
    if not upto:
        return first
    more = below.filter(reduce(or_, upto)).with_related()
    more = more.annotate(rank=Window(RowNumber(), partition_by=F("parent"), order_by="pk")).order_by("depth", "pk")
    replies = {reply.pk: reply for reply in first}
    for reply in more[: settings.REPLIES_IN_ALL]:
        reply.siblings = siblings[reply.parent_id]
        replies.setdefault(reply.pk, reply)
    return sorted(replies.values(), key=lambda reply: (reply.depth, reply.pk))

"""Which streams the blog has, who may listen to them, and which partial shows which item."""

from django.db.models import Q
from django.template.loader import render_to_string
from django.utils.translation import ngettext

from live import fragments
from live.hub import on_pulse
from live.streams import Stream, register
from live.templatetags.live import draw
from posts.models import Comment, FrontPage, LiveUpdate, Post, Queue, Report
from posts.models.moderation import moderates, purge_due
from posts.models.post import publish_due

on_pulse(publish_due)
on_pulse(purge_due)


@register(FrontPage)
class FrontStream(Stream):
    """The front page: cards of the newest posts."""

    @classmethod
    def load(cls, key):
        return FrontPage() if key == str(FrontPage.pk) else None

    def allows(self, person):
        return True

    def items(self, since):
        changed = Post.objects.filter(changed__gt=since).select_related("author").prefetch_related("tags")
        return changed.order_by("published_at")[: self.limit + 1]

    def show(self, post, since):
        name = f"#card-{post.pk}"
        if not post.is_public or post.is_page:
            return fragments.remove(name)
        card = render_to_string("partials/card.html", {"card": post})
        there = fragments.morph(card, f"#earlier-posts {name}")  # further pages get nothing new
        return there + fragments.upsert(card, "#posts", newest_first=True)


@register(Post)
class PostStream(Stream):
    """A post: its article, its live updates, its comments, and how many read it now."""

    counts_readers = True

    def allows(self, person):
        return self.thing.readable_by(person)

    def items(self, since):
        post = self.thing
        article = [post] if post.article_changed > since else []
        updates = post.updates.filter(changed__gt=since).select_related("author").order_by("pk")
        comments = post.comments.filter(changed__gt=since).drawn().with_rulings().order_by("pk")  # parents come first
        return [*article, *updates[: self.limit + 1], *comments[: self.limit + 1]]

    def show(self, item, since):
        match item:
            case Post():
                return fragments.morph(render_to_string("partials/article.html", {"article": item}), "#article")
            case LiveUpdate():
                return self.show_update(item)
            case Comment():
                return self.show_comment(item, since)

    def show_update(self, update):
        if update.withdrawn:
            return fragments.remove(f"#update-{update.pk}")
        html = render_to_string("partials/update.html", {"update": update})
        return fragments.upsert(html, "#updates", newest_first=True)

    def show_comment(self, comment, since):
        name = f"comment-{comment.pk}"
        if comment.state not in Comment.STANDING:
            return fragments.withdraw(render_to_string("partials/comment_place.html", {"place": comment}), name)
        new = place(comment) if comment.born > since else ""
        if new and comment.is_as_born and not comment.is_ruled:
            return new  # a page that has it has it so
        return new + fragments.morph(draw("partials/comment_body.html", comment), f"#{name}-body")

    def totals(self):
        return fragments.join(
            [
                fragments.text(self.thing.comment_count, "#comment-count"),
                fragments.morph(
                    render_to_string("partials/comments_state.html", {"post": self.thing}), "#comments-state"
                ),
            ]
        )

    def speakers(self, among):
        talking = self.thing.comments.filter(state=Comment.State.SHOWN).values("author")
        return among.filter(Q(pk=self.thing.author_id) | Q(pk__in=talking))

    def farewell(self):
        return fragments.morph(render_to_string("partials/withdrawn.html"), "#article")

    def readers(self, count):
        said = ngettext("%(n)s person is reading", "%(n)s people are reading", count) % {"n": count}
        return fragments.text(said, "#readers")


def place(comment, target="#comments"):
    """The fragment that puts ``comment`` at its place, if it is missing there: at the top level among ``target``."""
    html = render_to_string("partials/comment.html", {"comment": comment})
    name = f"comment-{comment.pk}"
    if comment.parent_id:
        return fragments.insert(html, name, f"#replies-{comment.parent_id}")
    return fragments.insert(html, name, target, newest_first=True)


@register(Queue)
class QueueStream(Stream):
    """What waits for moderators: two numbers."""

    @classmethod
    def load(cls, key):
        return Queue() if key == str(Queue.pk) else None

    def allows(self, person):
        return moderates(person)

    def items(self, since):
        return []

    def totals(self):
        return fragments.join(fragments.text(count, f"#queue-{name}") for name, count in waiting().items())


def waiting():
    """How many comments (dict of str to int) wait for review, and how many are reported."""
    return {
        "waiting": Comment.objects.filter(state=Comment.State.WAITING).count(),
        "reported": Report.objects.open().values("comment").distinct().count(),
    }

"""Which streams the blog has, who may listen to them, and which partial shows which item."""

from django.template.loader import render_to_string
from django.utils.translation import ngettext

from live import fragments
from live.heartbeat import periodic_task
from live.lists import ItemList, Part
from live.presence import CountsReaders
from live.streams import Stream, register
from people.streams import end_of_session
from posts.models import Comment, FrontPage, Post
from posts.models.post import publish_due

periodic_task(publish_due)


@register(FrontPage)
class FrontStream(Stream):
    """The front page: cards of the newest posts."""

    public = True
    lists = [
        ItemList(
            lambda front: Post.objects.select_related("author").prefetch_related("tags"),
            into="#posts",
            template="partials/posts/card.html",
            order="desc",
            removed=lambda post: not post.is_public or post.is_page,
            arrives=None,
            earlier="#earlier-posts",
        )
    ]


COMMENTS = ItemList(
    lambda post: post.comments.with_related().with_is_decided(),  # parents come first
    into=lambda comment: f"#replies-{comment.parent_id}" if comment.parent_id else "#comments",
    template="partials/posts/comment.html",
    order=lambda comment: "asc" if comment.parent_id else "desc",
    removed=lambda comment: comment.state not in Comment.VISIBLE,
    body="partials/posts/comment_body.html",
    place="partials/posts/comment_place.html",
)


@register(Post)
class PostStream(CountsReaders, Stream):
    """A post: its article, its live updates, its comments, and how many read it now."""

    lists = [
        ItemList(
            lambda post: post.updates.select_related("author"),
            into="#updates",
            template="partials/posts/update.html",
            order="desc",
            removed="withdrawn",
            arrives=None,
        ),
        COMMENTS,
    ]
    parts = [
        Part("#article", "partials/posts/article.html", changed="article_changed"),
        Part("#comment-count", value="comment_count"),
        Part("#comments-state", "partials/posts/comments_state.html"),
    ]

    def allows(self, person):
        return self.thing.readable_by(person)

    def ended(self, viewer):
        html = render_to_string("partials/posts/withdrawn.html", {"post": self.thing})
        return end_of_session(viewer) or (fragments.morph(html, "#article"), None)

    @classmethod
    def deleted(cls):
        return fragments.morph(render_to_string("partials/posts/withdrawn.html"), "#article")

    def readers(self, count):
        text = ngettext("%(n)s person is reading", "%(n)s people are reading", count) % {"n": count}
        return fragments.text(text, "#readers")

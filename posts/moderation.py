"""Moderation of comments: where they are found, and what is answered."""

from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string

from moderation.views import ACTIONS, ModerationViews
from posts.models import Comment
from posts.views import answer, known_post, visible_comment


class CommentModeration(ModerationViews):
    name = "comment"
    route = "comments/<int:pk>/"
    actions = ACTIONS

    def find_readable(self, request, pk):
        return visible_comment(request, pk)

    def find(self, request, pk):
        """Moderators decide without the password of a locked post: they see its comments, and not its text."""
        comment = get_object_or_404(Comment.objects.with_related().select_related("post__author"), pk=pk)
        known_post(request, comment.post.slug)
        return comment

    def answer(self, request, comment, html):
        return answer(request, comment, html)

    def html(self, comment):
        return render_to_string("partials/posts/comment_alone.html", {"comment": comment})

    def slot(self, comment):
        return f"#form-{comment.pk}"

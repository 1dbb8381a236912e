"""A room for a post: the one place that knows both. Editors open it from the list of posts in the admin."""

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from posts.admin import PostAdmin
from posts.models import Post
from rooms.models import Room


@admin.action(description=_("Discuss live: open a room for each"), permissions=["change"])
def discuss_live(post_admin, request, posts):
    """Open a room for each of ``posts`` that the public may read; the article shows the way to it at once."""
    opened = 0
    for post in posts:
        if post.readable_by(AnonymousUser()):
            open_room(post, request.user)
            opened += 1
    post_admin.message_user(request, ngettext("%(n)s room is open.", "%(n)s rooms are open.", opened) % {"n": opened})


def open_room(post, by):
    """The room about ``post``, opened by ``by`` or anew if it was closed. → the room"""
    with transaction.atomic():
        kind = ContentType.objects.get_for_model(Post)
        room = Room.objects.filter(about_type=kind, about_id=post.pk).first()
        room = room or Room(about=post, name=post.title[:100], created_by=by)
        room.archived = False
        room.revise()
        post.revise()
    return room


PostAdmin.actions = [*PostAdmin.actions, discuss_live]

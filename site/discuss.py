"""A room for a post, and comments from a room: the one place that knows both, through the admin's lists."""

from uuid import NAMESPACE_URL, uuid5

from django.contrib import admin, messages
from django.contrib.auth.models import AnonymousUser
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from people.rules import Refused
from posts.admin import PostAdmin
from posts.models import Post
from rooms.admin import MessageAdmin
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


@admin.action(description=_("Take over as comments on the article"), permissions=["moderate"])
def take_over(message_admin, request, queryset):
    """Make each message of ``queryset`` a comment on what its room is about, with a link back; once each."""
    taken = 0
    for message in queryset.visible().select_related("author", "room"):
        try:
            taken += promote(message)
        except Refused as refusal:
            message_admin.message_user(request, refusal.messages[0], messages.ERROR)
    message_admin.message_user(request, ngettext("%(n)s comment", "%(n)s comments", taken) % {"n": taken})


def promote(message):
    """Make ``message`` a comment, if its room is about something. → whether it was none before. Raises ``Refused``."""
    post = message.room.theme
    if post is None:
        return False
    address = f"{message.room.get_absolute_url()}#message-{message.pk}"
    with translation.override(post.language):
        source = _("From the live discussion")
        body = f"{message.body}\n\n[{source}]({address})"
    before = timezone.now()
    return post.comment(message.author, body, key=uuid5(NAMESPACE_URL, address)).created_at >= before


MessageAdmin.actions = [*MessageAdmin.actions, take_over]
PostAdmin.actions = [*PostAdmin.actions, discuss_live]

from django import template

from live.shortcuts import cursors_for
from posts.models import QUEUE
from posts.models.moderation import moderates
from posts.streams import waiting

register = template.Library()


@register.inclusion_tag("admin/queue.html", takes_context=True)
def queue(context):
    """What waits for moderators, in numbers that stay current. Nothing for those who are none."""
    request = context["request"]
    if not moderates(request.user):
        return {}
    return {"cursors": cursors_for(request, QUEUE), "user": request.user, **waiting()}  # the cursors first: no gap

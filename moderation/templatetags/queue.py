from django import template
from django.urls import reverse

from live.shortcuts import cursors_for
from moderation.models import QUEUE
from moderation.rules import moderates
from moderation.streams import reviewed_models, waiting

register = template.Library()


@register.inclusion_tag("partials/moderation/queue.html", takes_context=True)
def queue(context):
    """What waits for moderators, in numbers that stay current. Nothing for those who are none."""
    request = context["request"]
    if not moderates(request.user):
        return {}
    cursors = cursors_for(request, QUEUE)  # first: no gap
    lists = [f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist" for model in reviewed_models()]
    return {"cursors": cursors, "user": request.user, "waiting_list": reverse(lists[0]), **waiting()}

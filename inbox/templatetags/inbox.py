from html import unescape

from django import template
from django.conf import settings
from django.urls import reverse

from inbox.models import Follow, Ignore, Mute
from live.shortcuts import cursors_for

register = template.Library()


@register.simple_tag(takes_context=True)
def watching(context):
    """The cursors of the page: those that its view took, or else of what stands on every page.

    Stands at the top, for cursors are taken before anything is read.
    """
    if "live" in context:
        return context["live"]
    request = context.get("request")
    return cursors_for(request) if hasattr(request, "user") else []


@register.filter
def capped(number):
    """``number`` (int) as a badge shows it (str)."""
    return f"{settings.BADGE_MOST}+" if number > settings.BADGE_MOST else str(number)


@register.simple_block_tag
def titled(content):
    """The text (str, not escaped) of the title's block: the page needs it again, to ask for a title with a number.

    Use it with ``as``.
    """
    return unescape(content).strip()


@register.inclusion_tag("partials/inbox/subscription_button.html", takes_context=True)
def follow(context, author):
    return subscription_button(context, Follow, author, reverse("follow", args=[author.username]))


@register.inclusion_tag("partials/inbox/subscription_button.html", takes_context=True)
def ignore(context, person):
    return subscription_button(context, Ignore, person, reverse("ignore", args=[person.username]))


@register.inclusion_tag("partials/inbox/subscription_button.html", takes_context=True)
def mute(context, thread, address):
    """The button that mutes ``thread``, by a POST to ``address`` (a path)."""
    return subscription_button(context, Mute, thread, address)


def subscription_button(context, model, thing, address):
    """What ``partials/inbox/subscription_button.html`` needs: a form by which the reader makes the choice ``model`` or
    takes it back.
    """
    person = context["user"]
    return {
        "kind": model._meta.model_name,
        "made": person.is_authenticated and model.made(person, thing).exists(),
        "offered": person.is_authenticated and person != thing,
        "thing": thing,
        "address": address,
    }

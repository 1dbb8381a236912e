from django import template
from django.utils.translation import get_language

register = template.Library()


@register.inclusion_tag("live/live.html", takes_context=True)
def live(context, cursors):
    """Connect the page and keep it current: one socket for all of ``cursors`` (list of ``Cursor``).

    The cursors are sent afresh at every connection, and after every answer that brought items, because
    such an answer may be older than what the socket brought meanwhile. The socket of an anonymous page
    sleeps while nobody looks at the page; that of a signed-in person stays, for the tab's title.

    If the context holds ``whispers`` (a ``Cursor``), its stream hears when somebody types in a field of the class
    ``says``; not what.
    """
    user = context.get("user")
    return {
        "cursors": cursors,
        "whispers": context.get("whispers"),
        "language": get_language(),
        "signed_in": bool(user and user.is_authenticated),
    }

"""``{% csrf_token %}`` in all templates, those of Django and of allauth too (settings.TEMPLATES, ``builtins``)."""

from django import template
from django.template.defaulttags import CsrfTokenNode
from django.utils.html import format_html

register = template.Library()


class TokenNode(CsrfTokenNode):
    """Django's hidden input, and one that says for whom the page was made (``people.middleware.MadeFor``).

    The context's token knows that (``people.context.token``), so it follows the token wherever that goes.
    """

    def render(self, context):
        html = super().render(context)
        person = html and getattr(context.get("csrf_token"), "person", None)
        return (
            html + format_html('<input type="hidden" name="made_for" value="{}">', person) if html and person else html
        )


@register.tag
def csrf_token(parser, token):
    return TokenNode()

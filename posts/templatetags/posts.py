from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import format_html_join

register = template.Library()


@register.simple_tag
def beside(**thing):
    """What the site shows of other apps' things (HTML) beside an article or a person: the templates of ``BESIDE``.

    ``{% beside article=article %}``: they are given the thing by the name that it has here.
    """
    [name] = thing
    return format_html_join("", "{}", ((render_to_string(extra, thing),) for extra in settings.BESIDE[name]))

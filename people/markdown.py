"""Strangers' text to safe HTML: markdown-it renders, nh3 cleans, an allowlist decides.

Two traps that an allowlist of tags alone would leave open. An ``id``, ``class`` or ``hx-*`` attribute in
somebody's text could reach into the page. And htmx 4 rewrites ``<hx-…`` in a fragment *before* parsing it,
even inside an attribute's value, where HTML lets ``<`` stand: so no ``<`` survives in an attribute.
"""

import re

import nh3
from django.utils.html import escape, format_html
from django.utils.safestring import mark_safe
from markdown_it import MarkdownIt

from people.bounds import bounds_plugin
from people.links import link_plugin, with_scheme
from people.mentions import look_up, mention_plugin

PHRASES = {"a", "abbr", "b", "br", "cite", "code", "del", "em", "i", "ins", "kbd", "mark", "q", "s"}
PHRASES |= {"samp", "small", "span", "strong", "sub", "sup", "time", "u", "var"}
BLOCKS = {"blockquote", "li", "ol", "p", "pre", "ul"}
ATTRIBUTES = {"a": {"href"}, "ol": {"start"}, "code": {"class"}, "span": {"class"}}
OUR_CLASSES = re.compile(r"footnote[a-z-]*|language-[\w+-]{1,30}|align-(left|right|center)|[a-z]{1,2}\d?")
PROPORTION = 10  # times as long as the text its HTML may be
SMALL = 2_000  # characters of HTML that are all right anyway
SCHEMES = {"http", "https", "mailto"}


def render_markdown(text):
    """The HTML (safe str) of what somebody says, ``text`` (str) in Markdown: no headings, pictures or HTML.

    Where ``@name`` names a person it is a link to their page.
    """
    tokens = _markdown.parse(text)
    html = _markdown.renderer.render(tokens, _markdown.options, {"mentioned": look_up(tokens)})
    return in_proportion(clean(html, PHRASES | BLOCKS, ATTRIBUTES, link_rel="nofollow ugc noopener"), text)


def mentioned(text):
    """The people (list of Person) whom ``text`` (str) names by ``@name``: not in code or links, at most ten."""
    people = {person.pk: person for person, _name in look_up(_markdown.parse(text)).values()}
    return list(people.values())


def clean(html, tags, attributes, link_rel, part=""):
    """What is left (safe str) of ``html`` (str): the elements ``tags`` (set) with ``attributes`` (dict of sets).

    Of ids only those of footnotes, each once, and all with the mark of ``part`` (str) if the text is one of a page's.
    """
    ours = re.compile(rf"fn(ref)?{f'-{part}-' if part else ''}\d+(:\d+)?")
    seen = set()

    def allowed(tag, attribute, value):
        if attribute == "id":
            if not ours.fullmatch(value) or value in seen:
                return None
            seen.add(value)
        return _filter(tag, attribute, value)

    return mark_safe(
        nh3.clean(
            html,
            tags=tags,
            attributes=attributes,
            attribute_filter=allowed,
            link_rel=link_rel,
            url_schemes=SCHEMES,
        )
    )


def in_proportion(html, text):
    """``html`` (safe str) that was made of ``text`` (str), or the plain text if it is out of all proportion."""
    if len(html) <= PROPORTION * len(text) + SMALL:
        return html
    return format_html("<p>{}</p>", mark_safe(escape(text).replace("\n", "<br>\n")))


def _filter(tag, attribute, value):
    if attribute == "title":  # nh3 lets it through on every tag
        return None
    if attribute == "class":
        return " ".join(name for name in value.split() if OUR_CLASSES.fullmatch(name)) or None
    if attribute == "href":
        value = with_scheme(value)
    escaped = {"<": "%3C", ">": "%3E"} if attribute in ("href", "src") else {"<": "‹", ">": "›"}
    return value.translate(str.maketrans(escaped))


_markdown = MarkdownIt("commonmark", {"breaks": True, "html": False})
_markdown.enable(["strikethrough"])
_markdown.disable(["heading", "lheading", "image", "hr"])
_markdown.use(mention_plugin)
_markdown.use(link_plugin)
_markdown.use(bounds_plugin)

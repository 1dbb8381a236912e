"""Strangers' text to safe HTML: markdown-it renders, nh3 cleans, an allowlist decides.

Two traps that an allowlist of tags alone would leave open. An ``id``, ``class`` or ``hx-*`` attribute in
somebody's text could reach into the page. And htmx 4 rewrites ``<hx-…`` in a fragment *before* parsing it,
even inside an attribute's value, where HTML lets ``<`` stand: so no ``<`` survives in an attribute.
"""

import re

import nh3
from django.utils.html import escape
from django.utils.safestring import mark_safe
from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

PHRASES = {"a", "abbr", "b", "br", "cite", "code", "del", "em", "i", "ins", "kbd", "mark", "q", "s"}
PHRASES |= {"samp", "small", "span", "strong", "sub", "sup", "time", "u", "var"}
BLOCKS = {"blockquote", "li", "ol", "p", "pre", "ul"}
ARTICLE = PHRASES | BLOCKS | {"address", "aside", "caption", "dd", "details", "div", "dl", "dt", "figcaption"}
ARTICLE |= {"figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "section", "summary"}
ARTICLE |= {"table", "tbody", "td", "tfoot", "th", "thead", "tr"}
ATTRIBUTES = {"a": {"href"}, "ol": {"start"}, "code": {"class"}, "span": {"class"}}
ARTICLE_ATTRIBUTES = ATTRIBUTES | {
    "a": {"href", "id", "class"},
    "img": {"src", "alt", "width", "height"},
    "li": {"id", "class"},
    "td": {"colspan", "rowspan", "class"},
    "th": {"colspan", "rowspan", "class"},
    "section": {"class"},
    "sup": {"class"},
    "time": {"datetime"},
}
OUR_CLASSES = re.compile(r"footnote[a-z-]*|language-[\w+-]{1,30}|align-(left|right|center)|[a-z]{1,2}\d?")
OUR_IDS = re.compile(r"fn(ref)?\d+(:\d+)?")
SCHEMES = {"http", "https", "mailto"}


def article(text):
    """The HTML (safe str) of an author's Markdown ``text`` (str): the full set."""
    return article_html(_article.render(text))


def article_html(html):
    """The HTML (safe str) that is left of ``html`` (str) written elsewhere."""
    return _clean(html, ARTICLE, ARTICLE_ATTRIBUTES, link_rel="noopener")


def comment(text):
    """The HTML (safe str) of a reader's Markdown ``text`` (str): no headings, pictures or HTML."""
    return _clean(_comment.render(text), PHRASES | BLOCKS, ATTRIBUTES, link_rel="nofollow ugc noopener")


def _clean(html, tags, attributes, link_rel):
    return mark_safe(
        nh3.clean(
            html,
            tags=tags,
            attributes=attributes,
            attribute_filter=_filter,
            link_rel=link_rel,
            url_schemes=SCHEMES,
        )
    )


def _filter(tag, attribute, value):
    if attribute == "title":  # nh3 lets it through on every tag
        return None
    if attribute == "class":
        return " ".join(name for name in value.split() if OUR_CLASSES.fullmatch(name)) or None
    if attribute == "id":
        return value if OUR_IDS.fullmatch(value) else None
    escaped = {"<": "%3C", ">": "%3E"} if attribute in ("href", "src") else {"<": "‹", ">": "›"}
    return value.translate(str.maketrans(escaped))


def _highlight(code, language, _attributes):
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return ""
    marked = highlight(code, lexer, HtmlFormatter(nowrap=True))
    return f'<pre><code class="language-{escape(language)}">{marked}</code></pre>'


def _align(self, tokens, index, options, env):
    """Cells say how they are aligned in a ``style``, which our content policy forbids: a class instead."""
    if style := tokens[index].attrs.pop("style", None):
        tokens[index].attrs["class"] = style.replace("text-align:", "align-")
    return self.renderToken(tokens, index, options, env)


_article = MarkdownIt("commonmark", {"linkify": True, "typographer": True, "highlight": _highlight, "html": False})
_article.enable(["table", "strikethrough", "linkify", "replacements", "smartquotes"])
_article.use(footnote_plugin)
_article.add_render_rule("td_open", _align)
_article.add_render_rule("th_open", _align)

_comment = MarkdownIt("commonmark", {"linkify": True, "breaks": True, "html": False})
_comment.enable(["strikethrough", "linkify"])
_comment.disable(["heading", "lheading", "image", "hr"])

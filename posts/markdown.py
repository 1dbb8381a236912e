"""An author's text to safe HTML: the full set of Markdown, cleaned as all strangers' text is."""

from django.utils.html import escape
from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from people.bounds import bounds_plugin
from people.links import link_plugin
from people.markdown import ATTRIBUTES, BLOCKS, PHRASES, clean, in_proportion
from posts.balance import balanced

ARTICLE = PHRASES | BLOCKS | {"address", "aside", "caption", "dd", "details", "div", "dl", "dt", "figcaption"}
ARTICLE |= {"figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "section", "summary"}
ARTICLE |= {"table", "tbody", "td", "tfoot", "th", "thead", "tr"}
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
KEPT = {tag: ARTICLE_ATTRIBUTES.get(tag, set()) | {"lang"} for tag in ARTICLE}
HIGHLIGHTED = 20_000  # characters of one piece of code


def article(text, part=""):
    """The HTML (safe str) of an author's Markdown ``text`` (str): the full set.

    ``part`` (str, "" or like "u7") is what the text is on its page: it makes the ids of footnotes its own.
    """
    html = _article.render(text, {"docId": part} if part else {})
    return in_proportion(clean(html, ARTICLE, ARTICLE_ATTRIBUTES, link_rel="noopener", part=part), text)


def article_html(html):
    """The HTML (safe str) that is left of ``html`` (str) written elsewhere."""
    cleaned = clean(balanced(html, KEPT), ARTICLE, ARTICLE_ATTRIBUTES, link_rel="noopener")
    return in_proportion(cleaned, html)


def _highlight(code, language, _attributes):
    """Colours for ``code``, unless it is longer than anybody reads: some languages' rules look far ahead."""
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return ""
    if len(code) > HIGHLIGHTED:
        return ""
    marked = highlight(code, lexer, HtmlFormatter(nowrap=True))
    return f'<pre><code class="language-{escape(language)}">{marked}</code></pre>'


def _align(self, tokens, index, options, env):
    """Cells say how they are aligned in a ``style``, which our content policy forbids: a class instead."""
    if style := tokens[index].attrs.pop("style", None):
        tokens[index].attrs["class"] = style.replace("text-align:", "align-")
    return self.renderToken(tokens, index, options, env)


_article = MarkdownIt("commonmark", {"typographer": True, "highlight": _highlight, "html": False})
_article.enable(["table", "strikethrough", "replacements", "smartquotes"])
_article.use(footnote_plugin)
_article.use(link_plugin)
_article.use(bounds_plugin)
_article.add_render_rule("td_open", _align)
_article.add_render_rule("th_open", _align)

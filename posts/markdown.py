"""An author's text to safe HTML: the full set of Markdown, cleaned as all strangers' text is."""

from io import StringIO
from time import thread_time

from django.utils.html import escape
from markdown_it import MarkdownIt
from markdown_it.common.utils import unescapeAll
from markdown_it.renderer import RendererHTML
from mdit_py_plugins.footnote import footnote_plugin
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
COLOURED = 10_000  # characters of one piece of code
COLOURING = 1.0  # seconds of the processor for all the code of a text


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


def _fence(self, tokens, index, options, env):
    """Code in the colours of its language, as long as finding them takes little of a text's time."""
    language = (unescapeAll(tokens[index].info).split() or [""])[0]
    left = env.get("colouring", COLOURING)
    began = thread_time()
    marked = _coloured(tokens[index].content, language, began + left)
    env["colouring"] = left - (thread_time() - began)
    if not marked:
        return RendererHTML.fence(self, tokens, index, options, env)
    return f'<pre><code class="language-{escape(language)}">{marked}</code></pre>\n'


def _coloured(code, language, until):
    """``code`` (str) in HTML with colours, or "" if that takes longer than ``until``: many languages' rules look ahead.

    ``until``: seconds on the thread's clock. A single rule cannot be cut, so that longer code has no colours at all.
    """
    if len(code) > COLOURED:
        return ""
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return ""
    tokens = []
    for token in lexer.get_tokens(code):
        tokens.append(token)
        if thread_time() > until:
            return ""
    marked = StringIO()
    HtmlFormatter(nowrap=True).format(tokens, marked)
    return marked.getvalue()


def _align(self, tokens, index, options, env):
    """Cells say how they are aligned in a ``style``, which our content policy forbids: a class instead."""
    if style := tokens[index].attrs.pop("style", None):
        tokens[index].attrs["class"] = style.replace("text-align:", "align-")
    return self.renderToken(tokens, index, options, env)


_article = MarkdownIt("commonmark", {"typographer": True, "html": False})
_article.enable(["table", "strikethrough", "replacements", "smartquotes"])
_article.use(footnote_plugin)
_article.use(link_plugin)
_article.use(bounds_plugin)
_article.add_render_rule("fence", _fence)
_article.add_render_rule("td_open", _align)
_article.add_render_rule("th_open", _align)

"""What a text in Markdown may cost: bounds for the few constructs that could cost more than they are long.

All else in markdown-it is linear, as ``tests/test_bounds.py`` sees to. What is beyond a bound stays on the page as it
was typed: no word is lost.
"""

from markdown_it import MarkdownIt
from markdown_it.rules_block import blockquote, list_block
from markdown_it.rules_block import table as table_block
from markdown_it.rules_core.smartquotes import QUOTE_RE, process_inlines

CELLS = 200  # of all tables, and one more for each three characters
REFERRED = 2_000  # characters of addresses that references repeat, and ten more for each character
NOTES = 20  # references to footnotes, and one more for each forty characters
LABEL = 100  # characters of a footnote's name
LAZY = 1_000  # lines without a mark that are looked at as parts of a quotation, and four more for each line
QUOTES = 10_000_000  # quotation marks times characters of a paragraph: each mark found copies the paragraph
WITHIN = 2  # levels that a list adds


def bounds_plugin(md: MarkdownIt):
    """Bounds what ``md`` has: to be used after all plugins and rules that it shall have."""
    md.core.ruler.before("normalize", "allowances", _allow)
    quoted_or_listed = ["paragraph", "reference", "blockquote", "list"]
    md.block.ruler.at("blockquote", _shallow(blockquote), {"alt": quoted_or_listed})
    md.block.ruler.at("list", _shallow(list_block), {"alt": quoted_or_listed[:3]})
    md.block.ruler.at("table", _table, {"alt": quoted_or_listed[:2]})
    md.block.ruler.before("table", "lines", _ends, {"alt": ["blockquote"]})
    md.core.ruler.at("smartquotes", _smartquotes)
    for rule in md.inline.ruler.get_all_rules():
        if rule.startswith("footnote_"):
            md.inline.ruler.at(rule, _counted(_function(md.inline.ruler, rule)))
    if "footnote_def" in md.block.ruler.get_all_rules():
        definition = _function(md.block.ruler, "footnote_def")
        md.block.ruler.at("footnote_def", _shallow(definition), {"alt": quoted_or_listed[:2]})


def _function(ruler, name):
    return next(rule.fn for rule in ruler.__rules__ if rule.name == name)


def _allow(state):
    """What this text may spend: ``env`` is handed on to all rules."""
    length = len(state.src)
    state.env["cells"] = CELLS + length // 3
    state.env["lazy"] = LAZY + 4 * state.src.count("\n")
    state.env["notes"] = NOTES + length // 40
    state.env["references"] = References(REFERRED + 10 * length)


class References(dict):
    """Link definitions by label. Each use repeats the address, so that their sum is bounded: beyond, none is found."""

    def __init__(self, allowance):
        super().__init__()
        self.allowance = allowance

    def get(self, label, default=None):
        definition = super().get(label, default)
        if definition:
            self.allowance -= len(definition["href"]) + len(definition["title"]) + 20
        return definition if self.allowance > 0 else default


def _shallow(rule):
    """``rule``, but not where it would nest deeper than markdown-it goes, which drops all text from there on."""

    def shallow(state, start, end, silent):
        return state.level + WITHIN < state.md.options.maxNesting and rule(state, start, end, silent)

    return shallow


def _counted(rule):
    """``rule`` for a reference to a footnote, as long as there are not too many, and their names short."""

    def counted(state, silent):
        src, at = state.src, state.pos
        if state.env["notes"] <= 0 or not src.startswith(("[^", "^["), at):
            return False
        if (src[at] == "[" and src.find("]", at, at + LABEL) < 0) or not rule(state, silent):
            return False
        state.env["notes"] -= not silent
        return True

    return counted


def _table(state, start, end, silent):
    """A table; the cells of its first row count."""
    if not silent and start + 1 < end:
        state.env["columns"] = state.src.count("|", state.bMarks[start + 1], state.eMarks[start + 1]) + 1
        if state.env["columns"] > state.env["cells"]:
            return False
    return table_block(state, start, end, silent)


def _ends(state, start, end, silent):
    """Asked before a table or a quotation goes on: whether it ends here.

    A row gets all its cells however short it is; and a quotation looks at all lines that might be its own, again for
    each quotation that ends before them.
    """
    if not silent or state.parentType not in ("table", "blockquote"):
        return False
    allowance, spent = ("cells", state.env["columns"]) if state.parentType == "table" else ("lazy", 1)
    state.env[allowance] -= spent
    return state.env[allowance] <= 0


def _smartquotes(state):
    if state.md.options.typographer:
        for token in state.tokens:
            if token.type == "inline" and len(QUOTE_RE.findall(token.content)) * len(token.content) <= QUOTES:
                process_inlines(token.children, state)

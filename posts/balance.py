"""HTML from elsewhere, balanced: what browsers forgive costs their parser, and ours, the square of a text's length.

A formatting element that is left open is opened again in every block that follows: 40 kB of them become 200 MB.
"""

import re
from html import escape

DEEPEST = 50  # elements within elements
VOID = {"br", "col", "hr", "img"}
UNSEEN = {"script", "style"}
TAG = re.compile(r"""<(/?)([a-zA-Z][^\s/>]*+)((?:=\s*+"[^"]*+"|=\s*+'[^']*+'|[^>])*+)>""")
LETTER = re.compile("/?[a-zA-Z]")
ATTRIBUTE = re.compile(r"""([^\s=>"'/]++)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s>"']++))?+""")
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
TABLE = {"caption", "table", "tbody", "td", "tfoot", "th", "thead", "tr"}
ROWS = TABLE - {"caption", "td", "th"}  # which hold no text themselves
LISTS = {"dl", "ol", "ul"}
# What ends an open paragraph, https://html.spec.whatwg.org/multipage/grouping-content.html#the-p-element
BLOCKS = {"address", "aside", "blockquote", "dd", "details", "div", "dt", "figcaption", "figure", "footer", "hr", "li"}
BLOCKS |= {"p", "pre", "section", "summary"} | HEADINGS | LISTS | TABLE
ENDED = {  # by the start of an element: which open ones, and what they are not looked for beyond
    "a": ({"a"}, TABLE),
    "dd": ({"dd", "dt"}, LISTS | TABLE),
    "dt": ({"dd", "dt"}, LISTS | TABLE),
    "li": ({"li"}, LISTS | TABLE),
    "caption": (TABLE - {"table"}, {"table"}),
    "tbody": (TABLE - {"table"}, {"table"}),
    "td": ({"td", "th", "caption"}, ROWS),
    "tfoot": (TABLE - {"table"}, {"table"}),
    "th": ({"td", "th", "caption"}, ROWS),
    "thead": (TABLE - {"table"}, {"table"}),
    "tr": ({"td", "th", "tr", "caption"}, ROWS - {"tr"}),
}


def balanced(html, attributes):
    """``html`` (str) of well-nested elements, with the same text: without those that nest too deep or stand nowhere.

    ``attributes``: a dict of the elements that are kept to the set of their attributes. Time grows with the length.
    """
    out, within, at = [], [], 0
    while (start := html.find("<", at)) >= 0:
        out.append(html[at:start])
        at = _piece(html, start, out, within, attributes)
    out.append(html[at:])
    return "".join([*out, *(f"</{name}>" for name in reversed(within))])


def _piece(html, start, out, within, attributes):
    """Write into ``out`` (list) what begins with the "<" at ``start``. → where the rest begins (int)"""
    following = html[start + 1 : start + 4]
    if following.startswith(("!", "?")):  # a remark
        end, mark = (html.find("-->", start), "-->") if following == "!--" else (html.find(">", start), ">")
        return end + len(mark) if end >= 0 else _as_text(html, start, out)
    if not LETTER.match(following):
        out.append("&lt;")
        return start + 1
    tag = TAG.match(html, start)
    if not tag:  # no tag ends behind this
        return _as_text(html, start, out)
    closing, name, written = tag[1], tag[2].lower(), tag[3]
    if name in UNSEEN and not closing:
        end = re.compile(f"</{name}", re.IGNORECASE).search(html, tag.end())
        return end.start() if end else len(html)
    if name not in attributes:
        return tag.end()
    if closing:
        _end(within, {name}, set() if name in TABLE else {"caption", "td", "th"}, out, most=1)
    elif _make_room(within, name, out):
        kept = [pair for pair in ATTRIBUTE.finditer(written) if pair[1].lower() in attributes[name] and pair[2]]
        out.append(f"<{name}{''.join(f' {pair[0]}' for pair in kept[: len(attributes[name])])}>")
        if name not in VOID:
            within.append(name)
    return tag.end()


def _as_text(html, start, out):
    out.append(escape(html[start:], quote=False))
    return len(html)


def _make_room(within, name, out):
    """Close what the start of ``name`` (str) ends. → whether it may stand there"""
    if name in TABLE - {"table"} and "table" not in within:
        return False
    if name in BLOCKS:
        _end(within, {"p"}, TABLE, out)
    if name in HEADINGS and within and within[-1] in HEADINGS:
        out.append(f"</{within.pop()}>")
    if name in ENDED:
        _end(within, *ENDED[name], out)
    holder = within[-1] if within else ""
    return len(within) < DEEPEST and (holder not in ROWS or name in TABLE - {"table"})


def _end(within, names, bounds, out, most=DEEPEST):
    """Close, from within outwards, ``most`` (int) of the open ``names`` (set), but nothing around one of ``bounds``."""
    for depth in range(len(within) - 1, -1, -1):
        if within[depth] in names:
            while len(within) > depth:
                out.append(f"</{within.pop()}>")
            most -= 1
        elif within[depth] in bounds:
            return
        if not most:
            return

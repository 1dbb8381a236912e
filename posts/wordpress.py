"""Reads what WordPress exports (WXR, its extended RSS) and puts WordPress's dialect of HTML into plain terms.

Nothing here knows our models. Whatever a file holds, reading takes time in proportion to its size, and memory
in proportion to its largest item.
"""

import html
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heappop, heappush
from html.parser import HTMLParser
from xml.etree.ElementTree import ParseError

import nh3
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse
from django.utils import timezone

from people.rules import normalize
from posts.balance import balanced

DEEPEST = 200  # elements within elements; more is an attack, not a text
YEARS = range(1900, 2100)  # in which a date makes sense
CONTROLS = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {ord("\t"), ord("\n")})
NAMESPACE = re.compile(
    r"(?P<wp>https?://wordpress\.org/export/1\.\d/)(?P<excerpt>excerpt/)?"
    r"|(?P<content>http://purl\.org/rss/1\.0/modules/content/)|(?P<dc>http://purl\.org/dc/elements/1\.1/)"
)


class Unreadable(Exception):
    """The file is no export, is damaged, or is dangerous; the message says so to a person."""


@dataclass(frozen=True)
class Author:
    id: str
    login: str
    email: str
    name: str
    kind = "author"

    def __str__(self):
        return self.login


@dataclass(frozen=True)
class Term:
    """A category or a tag; ``slug`` is percent-encoded."""

    slug: str
    name: str
    kind = "tag"

    def __str__(self):
        return self.name


@dataclass(frozen=True)
class Comment:
    """``approved`` is "1", "0", "spam" or "trash"; ``kind`` is "", "comment", "pingback" or "trackback".

    ``parent`` is the id of the comment that it answers, "0" or "" if none.
    """

    id: str
    parent: str
    author: str
    user_id: str
    approved: str
    kind: str
    content: str
    date: datetime | None


@dataclass(frozen=True)
class Item:
    """A post, a page, or whatever else ``kind`` says. ``slug`` is percent-encoded.

    ``date`` is the first of its dates that makes sense; ``date_gmt`` is None for a draft that has none yet.
    """

    kind: str
    id: str
    guid: str
    title: str
    creator: str
    slug: str
    status: str
    content: str
    excerpt: str
    password: str
    comments_open: bool
    date_gmt: datetime | None
    date: datetime | None
    terms: list[Term]
    comments: list[Comment]

    def __str__(self):
        return f'"{self.title}"'


class Export:
    """An export, the file at ``path`` (str), read piece by piece.

    Iterating yields each ``Author``, ``Term`` and ``Item`` as soon as it has been read. Raises
    ``Unreadable``; what was yielded before that is sound.
    """

    def __init__(self, path):
        self.path = path
        self.channel = {}  # name -> text

    @property
    def site(self):
        """The blog's address (str) without its scheme, which may change while the blog stays the same."""
        address = self.channel.get("wp:base_blog_url") or self.channel.get("link", "")
        return address.strip().rstrip("/").rpartition("://")[2].lower()

    @property
    def language(self):
        return self.channel.get("language", "").strip().lower()

    def __iter__(self):
        try:
            with open(self.path, "rb") as file:
                yield from self._parts(file)
        except OSError as error:
            raise Unreadable(f"{self.path} cannot be read: {error.strerror}.") from None
        except DefusedXmlException:
            raise Unreadable("The file declares a document type or entities: no export does, it is refused.") from None
        except ParseError as error:
            line, column = error.position
            raise Unreadable(
                f"The file is cut off or damaged at line {line}, column {column} ({str(error).partition(':')[0]})."
            ) from None
        except (ValueError, LookupError) as error:
            raise Unreadable(f"The file's encoding cannot be read ({error}).") from None

    def _parts(self, file):
        path = []
        for event, element in iterparse(file, ("start", "end"), forbid_dtd=True):
            if event == "start":
                path.append(element)
                if len(path) > DEEPEST:
                    raise Unreadable("The file's elements are nested too deep: no export's are, it is refused.")
                continue
            path.pop()
            if len(path) == 2:
                yield from self._part(_name(element.tag), element)
                path[-1].remove(element)
        self._insist()

    def _part(self, name, element):
        match name:
            case "wp:author":
                yield _author(_texts(element))
            case "wp:category" | "wp:tag" | "wp:term":
                if term := _declared_term(_texts(element)):
                    yield term
            case "item":
                self._insist()
                yield _item(element)
            case "link" | "language" | "wp:base_blog_url" | "wp:wxr_version":
                self.channel[name] = element.text or ""

    def _insist(self):
        if "wp:wxr_version" not in self.channel:
            raise Unreadable("The file is no WordPress export: it names no WXR version.")


def _name(tag):
    """``tag`` (as ElementTree has it) with the usual prefix: ``wp:post_id``, ``excerpt:encoded``, ``title``."""
    namespace, _, name = tag.rpartition("}")
    family = NAMESPACE.fullmatch(namespace[1:])
    return f"{family.lastgroup}:{name}" if family else name if not namespace else tag


def _texts(element):
    """The texts of the children of ``element`` by name, trimmed, without control characters; "" if missing."""
    children = {_name(child.tag): (child.text or "").translate(CONTROLS).strip() for child in element}
    return defaultdict(str, children)


def _author(texts):
    login = texts["wp:author_login"]
    return Author(
        id=texts["wp:author_id"],
        login=login,
        email=texts["wp:author_email"],
        name=plain(texts["wp:author_display_name"]) or login,
    )


def _declared_term(texts):
    if texts["wp:term_taxonomy"] not in ("", "category", "post_tag"):
        return None
    slugs = ("wp:category_nicename", "wp:tag_slug", "wp:term_slug")
    names = ("wp:cat_name", "wp:tag_name", "wp:term_name")
    slug, name = (next(filter(None, map(texts.get, keys)), "") for keys in (slugs, names))
    return Term(slug, plain(name) or slug)


def _item(element):
    texts = _texts(element)
    date_gmt = _date(texts["wp:post_date_gmt"], UTC)
    local = _date(texts["wp:post_date"], timezone.get_default_timezone())
    return Item(
        kind=texts["wp:post_type"] or "item",
        id=texts["wp:post_id"],
        guid=texts["guid"],
        title=plain(texts["title"]),
        creator=texts["dc:creator"],
        slug=texts["wp:post_name"],
        status=texts["wp:status"],
        content=texts["content:encoded"],
        excerpt=plain(texts["excerpt:encoded"]),
        password=texts["wp:post_password"],
        comments_open=texts["wp:comment_status"] != "closed",
        date_gmt=date_gmt,
        date=date_gmt or local or _date(texts["pubDate"], form="%a, %d %b %Y %H:%M:%S %z"),
        terms=[
            Term(child.get("nicename", ""), plain(child.text or ""))
            for child in element
            if child.tag == "category" and child.get("domain") in ("category", "post_tag", "tag")
        ],
        comments=[_comment(_texts(child)) for child in element if _name(child.tag) == "wp:comment"],
    )


def _comment(texts):
    local = _date(texts["wp:comment_date"], timezone.get_default_timezone())
    return Comment(
        id=texts["wp:comment_id"],
        parent=texts["wp:comment_parent"],
        author=plain(texts["wp:comment_author"]),
        user_id=texts["wp:comment_user_id"],
        approved=texts["wp:comment_approved"],
        kind=texts["wp:comment_type"],
        content=texts["wp:comment_content"],
        date=_date(texts["wp:comment_date_gmt"], UTC) or local,
    )


def _date(text, zone=None, form="%Y-%m-%d %H:%M:%S"):
    """The date (datetime) that ``text`` names as WordPress writes it, or None if it makes no sense."""
    try:
        date = datetime.strptime(text, form)
    except ValueError:
        return None
    return date.replace(tzinfo=zone or date.tzinfo) if date.year in YEARS else None


def threaded(comments):
    """Yields ``comments`` (a list of ``Comment`` with different ids): parents before replies, siblings by date.

    Where answers go round in a circle, one of them comes before its parent.
    """
    order = sorted(
        comments, key=lambda comment: (comment.date or datetime.min.replace(tzinfo=UTC), len(comment.id), comment.id)
    )
    rank = {comment.id: n for n, comment in enumerate(order)}
    answers = defaultdict(list)
    for n, comment in enumerate(order):
        answers[comment.parent if comment.parent in rank else None].append(n)
    ready, done, rest = answers[None], set(), iter(range(len(order)))
    while len(done) < len(order):
        if not ready:
            at, circle = next(n for n in rest if n not in done), set()
            while at not in circle:
                circle.add(at)
                at = rank[order[at].parent]
            ready = [at]
        at = heappop(ready)
        if at in done:
            continue
        done.add(at)
        yield order[at]
        for n in answers[order[at].id]:
            heappush(ready, n)


def plain(markup):
    """The text (str, one line, NFC) of ``markup`` (str of HTML; its first 10,000 characters)."""
    text = html.unescape(nh3.clean(markup[:10_000], tags=set())).translate(CONTROLS)
    return normalize(" ".join(text.split()))


# The texts of posts

BARE = {"col", "colgroup", "dl", "menu", "ol", "table", "tbody", "tfoot", "thead", "tr", "ul"}
ROOMY = {"article", "aside", "blockquote", "dd", "details", "div", "li", "main", "section", "td", "th"}
BLOCKS = BARE | ROOMY | {"address", "caption", "center", "dt", "fieldset", "figcaption", "figure", "footer", "form"}
BLOCKS |= {"h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "legend", "nav", "p", "summary"}
VERBATIM = {"pre", "script", "style", "textarea"}
BLOCKS |= VERBATIM
CLOSED_BY_THE_NEXT = {"dd", "dt", "li", "p", "td", "th", "tr"}
TAG = re.compile(r"(<[^<>]*>)")
TAG_NAME = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)")
LONE_ADDRESS = re.compile(r"^[ \t]*+(https?://[^\s<>\"']++)[ \t]*+$", re.MULTILINE)
SHORTCODE = re.compile(r"(?<!\[)\[(/?)([a-zA-Z][\w-]*+)((?:\s[^\[\]]*+)?/?)\]")
SHORTCODES = {"gallery", "playlist"}
MEDIA = {"audio", "embed", "video"}
CAPTIONS = {"caption", "wp_caption"}
PICTURE = re.compile(r"\s*+((?:<a [^>]++>\s*+)?<img [^>]++>(?:\s*+</a>)?)(.*)", re.DOTALL | re.IGNORECASE)


def body(content):
    """A post's text as HTML (str) like that which WordPress makes of it, and what was left out (list of str).

    Captions become figures; of a medium its address remains; of other shortcodes the text that they enclose.
    A word in brackets counts as a shortcode if it is one of WordPress's own, has attributes, or is closed.
    Raises ``ValueError`` if elements are nested too deep.
    """
    of_blocks = "<!-- wp:" in content
    content, left_out = _without_shortcodes(_without_remarks(content.replace("\r\n", "\n")))
    return _paragraphs(LONE_ADDRESS.sub(r'<a href="\1">\1</a>', content), of_blocks).strip(), left_out


def _without_remarks(content):
    first, *rest = content.split("<!--")
    return first + "".join(part.partition("-->")[2] for part in rest)


def _without_shortcodes(content):
    closed = set(re.findall(r"\[/([\w-]++)\]", content))
    pieces, caption, left_out, end = [], None, [], 0
    for match in SHORTCODE.finditer(content):
        pieces.append(content[end : match.start()])
        end = match.end()
        closing, name, rest = match.groups()
        if name in CAPTIONS and closing:
            if caption:
                start, attributes = caption
                pieces[start:] = [_figure("".join(pieces[start:]), attributes)]
            caption = None
        elif name in CAPTIONS:
            caption = len(pieces), rest
        elif name in MEDIA:
            pieces += [f"\n\n{address}\n\n" for address in re.findall(r"https?://[^\s\"'<>]++", rest)[:1]]
        elif name in SHORTCODES or name in closed or re.search(r"\s[\w-]++=\S", rest):
            left_out += [] if closing else [name]
        else:
            pieces.append(match[0])
    return "".join([*pieces, content[end:]]), left_out


def _figure(content, attributes):
    picture, text = match.groups() if (match := PICTURE.match(content)) else (content, "")
    caption = re.search(r"""caption=(["'])(.*?)\1""", attributes, re.DOTALL)
    text = text.strip() or (caption[2] if caption else "")
    return f"\n\n<figure>{picture.strip()}<figcaption>{' '.join(text.split())}</figcaption></figure>\n\n"


def _paragraphs(content, of_blocks):
    """``content`` with the paragraphs and line breaks that WordPress implies (wpautop), except ``of_blocks``."""
    out, run, within = [], [], []
    for token in TAG.split(content):
        match = TAG_NAME.match(token)
        name, closing = match and match[1].lower(), token.startswith("</")
        if within and within[-1] in VERBATIM and not (closing and name == within[-1]):
            out.append(token)
        elif name not in BLOCKS:
            run.append(token.replace("\n", " ") if name else token)
        else:
            out += [_wrapped("".join(run), within, of_blocks), token]
            run.clear()
            _step(within, name, closing)
    return "".join([*out, _wrapped("".join(run), within, of_blocks)])


def _step(within, name, closing):
    """Keep the stack of open blocks ``within`` (list of names) as the tag ``name`` opens or closes one."""
    if closing and name in within:
        while within.pop() != name:
            pass
    elif not closing and name not in ("hr", "col"):
        if within and (within[-1] == "p" or within[-1] == name in CLOSED_BY_THE_NEXT):
            within.pop()
        within.append(name)
        if len(within) > DEEPEST:
            raise ValueError("its elements are nested too deep")


def _wrapped(run, within, of_blocks):
    """The text ``run`` between two block tags, in paragraphs if its block ``within`` has room for them."""
    holder = within[-1] if within else None
    if of_blocks or holder in BARE or not run.strip():
        return run
    chunks = ["<br>\n".join(map(_unbroken, chunk.split("\n"))) for chunk in re.split(r"\n\s*\n", run.strip())]
    if holder in (None, "blockquote") or (holder in ROOMY and len(chunks) > 1):
        return "\n" + "".join(f"<p>{chunk}</p>\n" for chunk in chunks)
    return "<br>\n<br>\n".join(chunks)


def _unbroken(line):
    return re.sub(r"<br ?/?>$", "", line.strip())


# The texts of comments

INLINE = {"b": "**", "strong": "**", "em": "*", "i": "*", "del": "~~", "s": "~~"}
KEPT = {"a", "address", "blockquote", "br", "code", "dd", "div", "dt", "h1", "h2", "h3", "h4", "h5", "h6"}
KEPT |= {"li", "ol", "p", "pre", "ul", *INLINE}
BLANK_LINES = re.compile(r"\n(?:[ \t]*+\n)++")
ADDRESS = str.maketrans({" ": "%20", "(": "%28", ")": "%29", "<": "%3C", ">": "%3E", "\n": None})


def remark(content):
    """A comment's text (str of WordPress's HTML) as Markdown (str): links, emphasis, code, lists and quotes.

    All other markup goes. What happens to look like Markdown reads as such.
    """
    writer = _Markdown()
    kept = {tag: {"href"} if tag == "a" else set() for tag in KEPT}
    writer.feed(nh3.clean(balanced(content, kept), tags=KEPT, attributes={"a": {"href"}}, link_rel=None))
    writer.close()
    return normalize(BLANK_LINES.sub("\n\n", writer.text).translate(CONTROLS))


class _Markdown(HTMLParser):
    """Writes ``text`` from HTML whose tags are balanced. A level is an open tag, its address, and its pieces."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.levels = [("", "", [])]
        self.too_deep = 0

    @property
    def text(self):
        return "".join(self.levels[0][2])

    @property
    def in_code(self):
        return any(tag in ("code", "pre") for tag, *_ in self.levels)

    def handle_starttag(self, tag, attributes):
        if tag == "br":
            self.handle_data("\n")
        elif len(self.levels) > 20:
            self.too_deep += 1
        else:
            self.levels.append((tag, dict(attributes).get("href") or "", []))

    def handle_endtag(self, tag):
        if self.too_deep:
            self.too_deep -= 1
            return
        tag, address, pieces = self.levels.pop()
        text = "".join(pieces)
        as_is = self.in_code or not text.strip()
        self.levels[-1][2].append(text if as_is else _marked(tag, text, address))

    def handle_data(self, data):
        self.levels[-1][2].append(data if self.in_code else re.sub(r"[ \t]+", " ", data))


def _marked(tag, text, address):
    """``text`` (not blank) as Markdown says that it stands in a ``tag``; ``address`` (str) is a link's."""
    core = text.strip()
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    match tag:
        case "a":
            if core == address or not address.startswith(("http://", "https://", "mailto:")):
                return text
            words = re.sub(r"([\[\]])", r"\\\1", " ".join(core.split()))
            return f"{before}[{words}]({address.translate(ADDRESS)}){after}"
        case "pre" | "code" if tag == "pre" or "\n" in core:
            return "\n\n{0}\n{1}\n{0}\n\n".format(_fence(core, 3), text.strip("\n"))
        case "code":
            space = " " * ("`" in core)
            return before + _fence(core, 1) + space + core + space + _fence(core, 1) + after
        case "blockquote":
            return "\n\n" + "\n".join(f"> {line}".rstrip() for line in core.split("\n")) + "\n\n"
        case "li":
            return "\n- " + core.replace("\n", "\n  ") + "\n"
        case "ol" | "ul":
            return "\n\n" + BLANK_LINES.sub("\n", core) + "\n\n"
        case _ if tag in INLINE:
            return text if "\n\n" in core else f"{before}{INLINE[tag]}{core}{INLINE[tag]}{after}"
    return f"\n\n{core}\n\n"


def _fence(code, least):
    """More backticks than ``code`` holds in a row, ``least`` (int) or more."""
    return "`" * max([least, *(len(ticks) + 1 for ticks in re.findall("`+", code))])

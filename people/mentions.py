"""``@name`` in what people say: which names stand there, and whose they are."""

import re

from django.conf import settings
from django.db.models import Q
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml

from people.models import Person, address_of

NAME = re.compile(r"[\w.-]{2,30}(?![\w.-])")
UNFINISHED = re.compile(r"(?<![\w/])@([\w.-]{1,30})\Z")  # the name that one is about to write


def mention_plugin(md: MarkdownIt):
    """Makes ``@name`` a link where it names a person of ``env["mentioned"]`` (dict of name to Person)."""
    md.inline.ruler.before("escape", "mention", _mention)
    md.add_render_rule("mention", _render)


def candidates(raw):
    """The names that ``raw`` (str, what follows the @) may stand for: a full stop may end the sentence, too."""
    while len(raw) >= 2:
        yield raw
        if raw[-1] not in ".-":
            return
        raw = raw[:-1]


def look_up(tokens):
    """The people named in ``tokens`` (markdown-it's, of a whole text): dict of what stands there to Person."""
    raws = dict.fromkeys(child.content for token in tokens for child in token.children or () if child.type == "mention")
    raws = list(raws)[: settings.MENTIONS]  # those that follow are words like others
    names = {name for raw in raws for candidate in candidates(raw) for name in (candidate, candidate.lower())}
    if not names:
        return {}
    people = {person.username: person for person in Person.objects.filter(username__in=names, is_active=True)}
    mentioned = {}
    for raw in raws:
        for name in candidates(raw):
            if person := people.get(name) or people.get(name.lower()):
                mentioned[raw] = (person, name)
                break
    return mentioned


def called(prefix):
    """The active people (QuerySet) whose names begin with ``prefix`` (str)."""
    names = (
        Q(username__startswith=prefix) | Q(username__startswith=prefix.lower()) | Q(display_name__istartswith=prefix)
    )
    return Person.objects.filter(names, is_active=True).order_by("username")


def _mention(state, silent):
    """The inline rule. Not after a word's character or a slash (an address goes on), not in a link."""
    at = state.pos
    if state.src[at] != "@" or state.linkLevel or (at and re.match(r"[\w/]", state.src[at - 1])):
        return False
    match = NAME.match(state.src, at + 1, state.posMax)
    if not match:
        return False
    if not silent:
        state.push("mention", "", 0).content = match[0]
    state.pos = match.end()
    return True


def _render(self, tokens, index, options, env):
    raw = tokens[index].content
    if raw not in env.get("mentioned", {}):
        return escapeHtml("@" + raw)
    person, name = env["mentioned"][raw]
    return f'<a href="{escapeHtml(address_of(person.username))}">@{escapeHtml(name)}</a>{escapeHtml(raw[len(name) :])}'

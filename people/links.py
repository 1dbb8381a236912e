"""Addresses in what people write: where a bare one begins and ends, and where one without a scheme leads.

The model is GitHub Flavored Markdown's extended autolinks (https://github.github.com/gfm/, 6.9): an address begins with
``http://``, ``https://``, ``mailto:`` or ``www.``, so no ``README.md`` becomes a link. In addition it ends before
punctuation that is not ASCII, for sentences in Chinese or Japanese have no space there, and before a bracket that it
did not open. Each character is looked at a fixed number of times, whatever the text is.
"""

import re
from unicodedata import category

from markdown_it import MarkdownIt
from markdown_it.common.utils import unescapeAll

UNSPACED = "\u0e00-\u0eff\u1000-\u11ff\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
BEGINNING = rf"(?<![A-Za-z0-9])(?:https?://|mailto:)|(?:(?<![^\W_]|[@./:+-])|(?<=[{UNSPACED}]))www\."
BEGINS = re.compile(BEGINNING, re.IGNORECASE)
MAILBOX = re.compile(r"[A-Za-z0-9.+_-]{1,64}@")
PORT = re.compile(r":[0-9]{1,5}(?![0-9])")
CREDENTIALS = re.compile(r"(?::[^\s/?#@<]{0,100})?@")
ASCII_ENDS = frozenset(map(chr, (*range(0x21), 0x7F))) | frozenset('"<>\\`')
GOES_ON = frozenset("·・\u200c\u200d")  # punctuation and joiners inside words
TRAILING = "?!.,:;*_~'"
PAIRS = {")": "(", "]": "[", "}": "{"}
DOMAINS = {"app", "cn", "com", "dev", "edu", "eu", "gov", "info", "io", "jp", "net", "org", "tw", "uk"}
LONGEST_HOST = 253  # RFC 1035, 2.3.4, without the final dot
LONGEST_ENTITY = 32
SWITCH = re.compile(f"[{UNSPACED}]")


def link_plugin(md: MarkdownIt):
    """Makes every bare address a link, but those in code and in other links."""
    stops = f"{md.inline.terminator_re.pattern}|{BEGINNING}"
    md.inline.terminator_re = re.compile(stops, re.IGNORECASE)
    md.inline.ruler.before("text", "address", _address)


def with_scheme(href):
    """``href`` (str, of a link that somebody wrote) with the scheme that it lacks, if it is a host's or a mailbox."""
    host = re.split("[/?#]", href, maxsplit=1)[0]
    if ":" in host:
        return href
    if host.lower().startswith("www.") or ("." in host[1:] and host.rpartition(".")[2].lower() in DOMAINS):
        return f"mailto:{href}" if "@" in host else f"https://{href}"
    return f"mailto:{href}" if re.fullmatch(r"[^@:\s]{1,64}@[^@:/\s]{1,253}", href) else href


def _address(state, silent):
    """The inline rule. Silent, it says how far an address goes: no mark inside it means anything."""
    end = address_end(state.src, state.pos, state.posMax)
    if not end:
        return False
    if not silent:
        text = state.src[state.pos : end]
        address = unescapeAll(text)
        href = state.md.normalizeLink(f"https://{address}" if address[:4].lower() == "www." else address)
        if state.linkLevel:
            state.append_pending(text)
        else:
            token = state.push("link_open", "a", 1)
            token.attrs = {"href": href}
            token.markup, token.info = "linkify", "auto"
            state.push("text", "", 0).content = address
            token = state.push("link_close", "a", -1)
            token.markup, token.info = "linkify", "auto"
    state.pos = end
    return True


def address_end(text, start, stop):
    """Where the address ends (int) that begins at ``start`` in ``text`` (str, up to ``stop``); 0 if there is none."""
    start_of_address = BEGINS.match(text, start, stop)
    if not start_of_address or not start_of_address[0].isascii():  # to a regular expression ſ is an s
        return 0
    at, scheme = start_of_address.end(), start_of_address[0].lower()
    if scheme == "www.":
        at = start
    elif scheme == "mailto:":
        mailbox = MAILBOX.match(text, at, stop)
        at = mailbox.end() if mailbox else stop
    end = _host_end(text, at, stop, dots={"www.": 2, "mailto:": 1}.get(scheme, 0))
    if not end or scheme == "mailto:":
        return end
    if port := PORT.match(text, end, stop):
        end = port.end()
    elif CREDENTIALS.match(text, end, stop):
        return 0
    return _path_end(text, end, stop) if text[end : end + 1] in ("/", "?", "#") and end < stop else end


def _host_end(text, start, stop, dots):
    """Where a host's name with at least ``dots`` (int) full stops ends that begins at ``start``; 0 if none does."""
    end = start
    stop = min(stop, start + LONGEST_HOST + 1)
    while end < stop and (text[end] in ".-_" or text[end].isalnum() or _joins(text[end])):
        end += 1
    if end - start > LONGEST_HOST:
        return 0
    labels = text[start:end].rstrip(".-_").split(".")
    last = labels[-1]
    if last[:1].isascii() and (script := SWITCH.search(last)):  # example.com然后: no top level domain mixes them
        labels[-1] = last[: script.start()].rstrip("-_")
    if len(labels) <= dots or any(not label or label[0] in "-_" or len(label) > 63 for label in labels[-2:]):
        return 0
    if not all(labels) or any("_" in label for label in labels[-2:]):
        return 0
    return start + len(".".join(labels))


def _path_end(text, start, stop):
    """Where what follows a host ends: path, query and fragment, without the punctuation of the sentence around it."""
    end, opened = start, []
    while end < stop:
        sign = text[end]
        if sign in ASCII_ENDS or not (sign.isascii() or _joins(sign)) or text.startswith(("**", "~~"), end):
            break
        if sign in PAIRS.values():
            opened.append(sign)
        elif sign in PAIRS and (not opened or opened.pop() != PAIRS[sign]):
            break
        end += 1
    while end > start and text[end - 1] in TRAILING:
        end -= 1
        entity = text.rfind("&", max(start, end - LONGEST_ENTITY), end) if text[end] == ";" else -1
        if entity >= 0 and text[entity + 1 : end].isalnum():
            end = entity
    return end


def _joins(sign):
    """Whether ``sign`` (not ASCII) may stand inside an address: letters, their marks, and numbers of any script."""
    return sign in GOES_ON or category(sign)[0] in "LMN"

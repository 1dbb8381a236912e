"""What strangers' text costs: no more than its length explains, whatever its author had in mind.

Costs are of the thread's clock, against a plain text of the same length in the same test.
"""

import random
import time
import unicodedata

import pytest

from people.markdown import render_markdown
from people.rules import normalize
from posts.markdown import article

RENDERERS = pytest.mark.parametrize("render", [render_markdown, article])
MARKS = ["[", "]", "(", ")", "![", "](", "](a)", "[a]", "[a]: b\n", "[a]:", "[^1]", "[^1]: x\n\n", "^[", "[^", "*"]
MARKS += ["**", "***", "_", "__", "~~", "`", "``", "```\n", ">", "> ", "- ", "* ", "+ ", "1. ", "|", "||", "|-", "|\n"]
MARKS += ["-|-\n", "---\n", "===\n", "# ", "<", "</a>", "<!--", "<a@b", "&", "&amp;", "&#x", "\\", "\\\n", "\n", "\n\n"]
MARKS += [" ", "    ", "\t", "a", "a\n", "@", "@ab ", "'", '"', "...", "--", ":", "http://", "https://a", "www."]
MARKS += ["xn--a.", "mailto:a@", "/", "?", "#", "。", "中", "\u0301", "\u0316", "😀", "!", "="]
MARKS += ["{", "}", '"\n', "(\n", "\r", "\0"]
CLOSING = {"[": "](a)", "![": "](a)", "^[": "]", "*": "*", "**": "**", "_": "_", "~~": "~~", "(": ")", "`": "`"}
WORST = {  # of some 20,000 inputs that were tried
    "brackets": "[",
    "pictures": "![",
    "notes in notes": "^[",
    "an address that fails": "http://xn--a.",
    "lists": "+ \n",
    "lists in lists": "+ " * 20 + "\n",
    "quotations in lists": "> + " * 10 + "a\n",
    "links in links": "[" * 19 + "a" + "](a)" * 19,
    "quotation marks": '"',
    "apostrophes": "'a",
    "delimiters": "***a**",
    "one-column tables": "-|-\n",
    "lines": "a\n",
    "definitions": "[a]: b\n",
    "mentions": "@ab ",
    "code in quotations": ">```\n{\n",
    "names of notes": "[^a😀",
    "marks on a letter": "\u0301\u0316",
}


def cost(render, text, tries=3):
    def once():
        began = time.thread_time()
        render(text)
        return time.thread_time() - began

    return min(once() for _ in range(tries))


def plain(length):
    return ("Lorem ipsum dolor sit amet. " * (length // 28 + 1))[:length]


@pytest.fixture(autouse=True)
def nobody_is_named(db):
    """Mentions are looked up: there are none of these names."""


@RENDERERS
@pytest.mark.parametrize("unit", WORST.values(), ids=WORST)
def test_the_worst_texts_that_were_found_cost_little(render, unit):
    text = ("[^a]: x\n\n" + unit * 4000)[:4000]
    assert cost(render, text) < 10 * cost(render, plain(4000)) + 0.15
    assert len(render(text)) <= 10 * len(text) + 2000


@pytest.mark.parametrize("unit", WORST.values(), ids=WORST)
def test_what_an_article_costs_grows_with_its_length(unit):
    """Eight times the text: eight times the cost, where a parser that looks back over all of it takes 64 times."""
    short, long = (("[^a]: x\n\n" + unit * n)[:n] for n in (1000, 8000))
    assert cost(article, long, 2) < 20 * cost(article, short) + 0.1


def fuzzed(seed, count, length):
    """Texts made of short tokens again and again, of tokens that nest, and of a run of one before a run of another."""
    chance = random.Random(seed)
    for _ in range(count):
        tokens = chance.choices(MARKS, k=chance.randint(1, 3))
        unit, kind = "".join(tokens), chance.random()
        if kind < 0.2:
            tokens = chance.choices(list(CLOSING), k=chance.randint(1, 2))
            depth = chance.choice([2, 9, 19, 21, 200, 2000])
            closing = "".join(CLOSING[token] for token in reversed(tokens))
            unit = "".join(tokens) * depth + "a" + closing * depth + chance.choice(MARKS)
        if kind < 0.8:
            yield (chance.choice(["", "", "- ", "> ", "[a]: b\n\n", "[^1]: x\n\n"]) + unit * length)[:length]
        else:
            half = length // 2
            yield (unit * half)[:half] + (chance.choice(MARKS) * half)[:half]


@RENDERERS
def test_texts_made_for_parsers_cost_little(render):
    most = 10 * cost(render, plain(4000)) + 0.15
    for text in fuzzed(7, 80, 4000):
        began = time.thread_time()
        html = render(text)
        if time.thread_time() - began > most:
            assert cost(render, text) < most, text[:60]
        assert len(html) <= 10 * len(text) + 2000, text[:60]


@RENDERERS
@pytest.mark.parametrize(
    "text",
    [
        "[a]: /" + "b" * 1000 + "\n\n" + "[a] " * 900,
        "[a]: /b '" + "c" * 1000 + "'\n\n" + "[a]" * 900,
        "[^a]: " + "word " * 100 + "\n\n" + "[^a]" * 900,
        "^[a]" * 1000,
        "|a" * 60 + "|\n" + "|-" * 60 + "|\n" + "a\n" * 1500,
        ("|a" * 60 + "|\n" + "|-" * 60 + "|\n" + "a\n" * 60 + "\n") * 10,
        "|a|b|\n|-:|-:|\n" + "||\n" * 1300,
        "```json\n" + "{a" * 1500 + "\n```\n",
    ],
    ids=["links", "titles", "notes", "short notes", "a wide table", "wide tables", "empty cells", "colours"],
)
def test_little_text_does_not_become_much_html(render, text):
    html = render(text)
    assert len(html) <= 10 * len(text) + 2000
    assert cost(render, text) < 10 * cost(render, plain(len(text))) + 0.15


def test_bounds_are_wider_than_what_people_write():
    links = "".join(f"[the word {n}][l{n}] and more words. " for n in range(60))
    html = article(links + "\n\n" + "".join(f"[l{n}]: https://a.example/a/longer/path/{n}\n" for n in range(60)))
    assert html.count("<a ") == 60
    notes = "\n".join(f"[^{n}]: Where this stands, page {n}" for n in range(60))
    html = article(" ".join(f"Something that needs its proof.[^{n}]" for n in range(60)) + f"\n\n{notes}")
    assert html.count("footnote-ref") == 60
    row = "| 1 | 2 | 3 | 4 | 5 |\n"
    assert article("| a | b | c | d | e |\n|---|---|---|---|---|\n" + row * 300).count("<td>") == 1500
    assert article('He said "yes". ' * 300).count("“") == 300


@RENDERERS
@pytest.mark.parametrize("nest", [">", "> ", "- ", "1. ", "> - ", "+ > 1. ", "[^1]: > "])
@pytest.mark.parametrize("depth", [5, 9, 10, 19, 24, 300])
def test_words_stay_however_deep_they_stand(render, nest, depth):
    html = render(f"[^1] first\n\n{nest * depth}the **answer** to it\n\nlast")
    assert all(word in html for word in ("first", "answer", "to it", "last"))


def test_a_wide_table_keeps_the_words_of_the_rows_beyond_its_bound():
    html = article("|a" * 60 + "|\n" + "|-" * 60 + "|\n" + "".join(f"word{n}\n" for n in range(100)))
    assert "<table>" in html and all(f"word{n}" in html for n in range(100))


@pytest.mark.parametrize("row", ["\u0301\u0316", "\u0f73", "\u0316\u0f75\u0301"])
def test_marks_in_a_row_are_soon_put_in_order(row):
    """The body of a request may hold 500,000: nothing may take them before it is known how many there are."""
    assert cost(normalize, "a" + row * (200_000 // len(row)), 1) < 10 * cost(normalize, "é" * 200_000) + 0.2


def test_marks_that_people_write_stay():
    assert normalize(" e\u0301 \r\n") == "é"
    for word in ("Tiếng Việt", "עִבְרִית", "हिन्दी", "a" + "\u0301" * 30):
        assert normalize(word) == unicodedata.normalize("NFC", word)
    assert len(normalize("a" + "\u0316" * 400)) == 31

"""The core: what is needed to make a page live, to be read in one sitting."""

import ast
import re
import tokenize
from pathlib import Path

from live.conf import NAMES

LIVE = Path(__file__).resolve().parent.parent
CORE = ["models", "items", "lists", "changes", "ticks", "streams", "cursors", "deltas", "fragments"]
CORE += ["doorbell", "hub", "consumers"]
ALWAYS = sorted({*LIVE.glob("*.py"), *LIVE.glob("templatetags/*.py")} - {LIVE / "testing.py"})  # what every site loads
NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
MOST = 1000


def lines_of_code(file):
    """How many lines of ``file`` hold code: not those that are empty, or hold a comment or a docstring alone."""
    with tokenize.open(file) as source:
        held = {
            line
            for token in tokenize.generate_tokens(source.readline)
            if token.type not in NO_CODE
            for line in range(token.start[0], token.end[0] + 1)
        }
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            held -= set(range(node.lineno, node.end_lineno + 1))
    return len(held)


def test_the_core_is_read_in_one_sitting(capsys):
    counts = {name: lines_of_code(LIVE / f"{name}.py") for name in CORE}
    always = sum(map(lines_of_code, ALWAYS))
    with capsys.disabled():
        print(f"\nThe core of live/: {sum(counts.values())} lines of code. What every site loads: {always}.")
    assert sum(counts.values()) <= MOST, counts


def test_the_core_loads_nothing_that_is_optional():
    """Nor does what is optional: pages that are kept, say, cost a site nothing that keeps none."""
    for file in ALWAYS:
        for node in ast.parse(file.read_text()).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.startswith(("live.http", "live.presence"))], file.name


def test_every_setting_is_told_in_the_readme():
    """That is the page which somebody reads who installs the engine."""
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", (LIVE / "README.md").read_text(), re.MULTILINE))
    assert told == NAMES

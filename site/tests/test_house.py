"""The rules of the house: which way dependencies run, and who touches what."""

import ast
import re
import site
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from django.urls import get_resolver

ROOT = Path(__file__).resolve().parent.parent.parent
MAY_IMPORT = {
    "live": set(),
    "people": {"live"},
    "inbox": {"live", "people"},
    "moderation": {"live", "people", "inbox"},
    "posts": {"live", "people", "inbox", "moderation"},
    "rooms": {"live", "people", "inbox", "moderation"},
}
OURS = {"live", "people", "inbox", "moderation", "posts", "rooms", "parley"}
TEMPLATES = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "live/templates").rglob("*.html")]
BROADCAST = [
    "posts/card",
    "posts/posts",
    "posts/article",
    "posts/update",
    "posts/updates",
    "posts/comment",
    "posts/comment_body",
    "posts/comments",
]
BROADCAST += ["posts/comments_state", "posts/older_comments", "posts/more_replies", "posts/comment_place"]
BROADCAST += [
    "inbox/badge",
    "inbox/retitle",
    "inbox/notification",
    "inbox/notifications",
    "inbox/announcement",
    "inbox/announcements",
]
BROADCAST += [
    "rooms/message",
    "rooms/message_body",
    "rooms/message_place",
    "rooms/earlier",
    "rooms/newest",
    "rooms/room_state",
    "rooms/room_left",
    "rooms/room_row",
]
BROADCAST += [
    "rooms/people_here",
    "rooms/joined_and_left",
    "rooms/typing",
    "rooms/conversation_started",
    "rooms/departed",
    "rooms/announced_line",
]


def sources(app):
    files = [(file, file.relative_to(ROOT).parts) for file in (ROOT / app).rglob("*.py")]
    return [file for file, parts in files if "tests" not in parts and "migrations" not in parts]


def imports(file):
    """The dotted names that ``file`` imports, inside functions too."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: a relative import hides where it points"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("app", MAY_IMPORT)
def test_dependencies_run_one_way(app):
    assert sources(app)
    for file in sources(app):
        strangers = {name.partition(".")[0] for name in imports(file)} & OURS - MAY_IMPORT[app] - {app}
        assert not strangers, f"{file.relative_to(ROOT)} imports {strangers}"


def templates_of(app):
    """The templates (set of their names) that ``app`` renders: those in its folders, those that its code names, and
    what they include. What they extend is the site's."""
    folders = [ROOT / "templates" / app, ROOT / "templates/partials" / app]
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    wanted = {str(file.relative_to(ROOT / "templates")) for file in files}
    wanted |= {name for file in sources(app) for name in re.findall(r'"([\w/]+\.(?:html|txt))"', file.read_text())}
    found = set()
    while wanted:
        name = wanted.pop()
        if (ROOT / "templates" / name).exists():
            found.add(name)
            wanted |= set(re.findall(r'{% include "([\w/.]+)"', (ROOT / "templates" / name).read_text())) - found
    return found


def owners_of_words():
    """Whose (str) what a template can name is: tag libraries, addresses."""
    libraries = {file.stem: file.parts[0] for app in MAY_IMPORT for file in relative(f"{app}/templatetags/*.py")}
    addresses = {
        pattern.name: app
        for app in MAY_IMPORT
        if (ROOT / app / "urls.py").exists()
        for pattern in get_resolver(f"{app}.urls").url_patterns
    }
    return libraries, addresses


def relative(pattern):
    return [file.relative_to(ROOT) for file in ROOT.glob(pattern)]


@pytest.mark.parametrize("app", MAY_IMPORT)
def test_templates_know_no_more_than_the_code_that_renders_them(app):
    """They load no tags of an app that their own may not import, link to none of its addresses, ask for no right there,
    and include nothing from its folder."""
    libraries, addresses = owners_of_words()
    strangers = OURS - MAY_IMPORT[app] - {app}
    assert app == "live" or templates_of(app)
    for name in sorted(templates_of(app)):
        text = (ROOT / "templates" / name).read_text()
        known = {libraries.get(word) for words in re.findall(r"{% load ([^%]+) %}", text) for word in words.split()}
        known |= {addresses.get(word) for word in re.findall(r"""{% url ['"]([\w-]+)['"]""", text)}
        known |= set(re.findall(r"\bperms\.(\w+)", text)) | {name.removeprefix("partials/").partition("/")[0]}
        assert not known & strangers, f"{app} renders {name}, which knows {known & strangers}"


@pytest.mark.parametrize("app", MAY_IMPORT)
def test_only_live_touches_the_channel_layer(app):
    if app == "live":
        return
    for file in sources(app):
        touched = [n for n in imports(file) if n.startswith(("channels", "asgiref")) or n.endswith("async_to_sync")]
        assert not touched, f"{file.relative_to(ROOT)} imports {touched}"


@pytest.mark.parametrize("app", MAY_IMPORT)
def test_models_know_neither_views_nor_forms_nor_consumers(app):
    files = [file for file in sources(app) if file.name == "models.py" or "models" in file.parts]
    assert files
    for file in files:
        for name in imports(file):
            assert not re.search(r"\.(views|forms|consumers|admin)\b", name), f"{file.relative_to(ROOT)}: {name}"


@pytest.mark.parametrize("name", BROADCAST)
def test_broadcast_partials_know_no_viewer(name):
    text = re.sub(r'"[^"{}]*"', "", (ROOT / f"templates/partials/{name}.html").read_text())  # without plain words
    assert not re.search(r"\b(request|user|csrf_token|perms|messages)\b", text)


@pytest.mark.parametrize("name", BROADCAST)
def test_broadcast_partials_know_no_time_zone_but_the_sites(name):
    """A page of somebody elsewhere would show other times than those that its socket brings."""
    text = (ROOT / f"templates/partials/{name}.html").read_text()
    if re.search(r"\|(date|time)\b", text):
        assert "{% timezone None %}" in text


def test_every_partial_that_a_stream_renders_is_among_those_checked():
    streams = [(ROOT / app / "streams.py").read_text() for app in ("posts", "inbox", "rooms")]
    rendered = re.findall(r'"partials/([\w/]+)\.html"', "".join(streams))
    assert set(rendered) - {"posts/withdrawn"} <= set(BROADCAST)


def test_site_is_no_package_and_the_standard_one_stands():
    assert not (ROOT / "site/__init__.py").exists()
    assert ROOT not in Path(site.__file__).resolve().parents


def test_the_one_script_is_htmx_but_for_the_changes_that_the_patch_shows(tmp_path):
    copy = tmp_path / "htmx-ws.js"
    copy.write_text((ROOT / "static/js/htmx-ws.js").read_text())
    subprocess.run(["git", "apply", "--reverse", ROOT / "bin/htmx.patch"], cwd=tmp_path, check=True)
    begins = re.compile(r"^var htmx = |^\(\(\) => \{\n    let api;|^//=+\n// hx-upsert.js$", re.MULTILINE)
    first, second, third = (found.start() for found in list(begins.finditer(copy.read_text()))[:3])
    parts = copy.read_text()[first:second], copy.read_text()[second:third], copy.read_text()[third:]
    sums = re.findall(r"^([0-9a-f]{64})  \S+\.js$", (ROOT / "bin/htmx").read_text(), re.MULTILINE)
    assert [sha256(part.removesuffix("\n").encode()).hexdigest() for part in parts] == sums


def test_there_is_no_javascript_of_our_own():
    scripts = [file.relative_to(ROOT) for file in (ROOT / "static").rglob("*.js")]
    assert scripts == [Path("static/js/htmx-ws.js")]
    [link] = (ROOT / "live").rglob("*.js")  # as the package of the engine has it
    assert link.resolve() == ROOT / scripts[0]
    for template in TEMPLATES:
        for attributes in re.findall(r"<script([^>]*)>", template.read_text()):
            assert "src=" in attributes or "application/ld+json" in attributes, template
        assert not re.search(r"\s(on\w+|hx-on\S*|style)=|javascript:|\bjs:", template.read_text()), template


def test_no_style_rule_asks_what_comments_and_lines_hold():
    """Such a rule is asked again for all of a long list whenever one comes: a class says the same."""
    sheets = [file.stem for file in (ROOT / "static/css").glob("*.css")]
    assert "comments" in sheets and "rooms" in sheets
    for sheet in sheets:
        rules = (ROOT / f"static/css/{sheet}.css").read_text()
        assert not re.search(r"(?<![\w.#-])(article|body|div|form|li|p)[^\s,{};]*:has\(", rules), sheet


TESTS = [file for app in [*MAY_IMPORT, "site", "e2e"] for file in (ROOT / app).rglob("test_*.py")]
STOP_WATCHES, TAKE_SECONDS = {"monotonic", "perf_counter"}, {"sleep", "timeout", "wait", "result"}


def seconds(file):
    """The lines of ``file`` in which a test takes, waits for or allows a number of seconds, but where it measures."""
    tree = ast.parse(file.read_text())
    if "pytestmark = pytest.mark.stress" in file.read_text():
        return
    measuring = [
        n for n in ast.walk(tree) if "pytest.mark.stress" in map(ast.unparse, getattr(n, "decorator_list", ()))
    ]
    apart = {id(node) for function in measuring for node in ast.walk(function)}
    for node in ast.walk(tree):
        if id(node) in apart or not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        allowed = [word.value for word in node.keywords if word.arg in ("timeout", "within")]
        allowed += {"wait_for": node.args[1:2]}.get(name, node.args[:1] if name in TAKE_SECONDS else [])
        numbers = [
            part for value in allowed if isinstance(value, (ast.Constant, ast.BinOp)) for part in ast.walk(value)
        ]
        if name in STOP_WATCHES or any(isinstance(part, ast.Constant) and part.value for part in numbers):
            yield f"{file.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_no_test_depends_on_seconds(file):
    """They fail beside other work. Wait for a state (``live.testing.until``); that nothing comes is known when
    something comes that was sent later; what is promised in seconds is measured by ``bin/test --stress``."""
    assert not list(seconds(file))


def test_every_form_that_htmx_sends_says_so_if_that_fails():
    """With ``partials/failed.html``; a line in a room has words of its own."""
    forms = 0
    for file in TEMPLATES:
        for form in re.findall(r"<form[^<]*?hx-post=.*?</form>", file.read_text(), re.DOTALL):
            forms += 1
            assert "partials/failed.html" in form or 'class="unsent"' in form, file.name
    assert forms >= 11


# Names that said nothing to a stranger. Each has a plain one now.
OLD_NAMES = re.compile(
    """Allowance|Attendance|BOARD|Board|Cause|Choice|EVERYWHERE|Errand|Letter|Names|Ruling|Spent|Visit|_bequeath|_fall|_rise|
    afford|attendance|beat|begun|behind|came|causes|checkers|chores?|closed_at|doorkeeper|drawn|errand|examine|given|gone|
    household|hush|judge|letter|likeness|look_again|named|news|on_closing|on_pulse|pace|parked|pulse|retract|rulings?|
    set_out|spend|standing|stay|tell|tell_each|tidy|twin|understand|untell|vet|visit|vouch|who""",
    re.VERBOSE,
)
OLD_MARKUP = (
    r"\{% draw |\.(standing|drawn|likeness|rulings|gone)\b|\bruling\b|[\"'#.](came|gone|begun|latest|the-end)\b"
)


def names(file):
    """The identifiers in ``file``, with their lines."""
    for node in ast.walk(ast.parse(file.read_text())):
        for field in ("id", "attr", "name", "arg", "asname"):
            if isinstance(name := getattr(node, field, None), str):
                yield name.rpartition(".")[2], getattr(node, "lineno", 0)


def test_the_old_names_are_gone():
    for app in [*MAY_IMPORT, "site", "bench", "e2e", "harness"]:
        for file in (ROOT / app).rglob("*.py"):
            left = [
                f"{file.relative_to(ROOT)}:{line}: {name}" for name, line in names(file) if OLD_NAMES.fullmatch(name)
            ]
            assert not left, left
    for file in [*TEMPLATES, *(ROOT / "static/css").glob("*.css")]:
        assert not (left := re.search(OLD_MARKUP, file.read_text())), f"{file.name}: {left}"


def test_no_line_of_a_template_is_long():
    for file in TEMPLATES:
        assert max(map(len, file.read_text().splitlines())) <= 160, file.name

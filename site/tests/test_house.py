"""The rules of the house: which way dependencies run, and who touches what."""

import ast
import re
import site
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
MAY_IMPORT = {
    "live": set(),
    "people": {"live"},
    "inbox": {"live", "people"},
    "posts": {"live", "people", "inbox"},
    "rooms": {"live", "people", "inbox"},
}
OURS = {"live", "people", "inbox", "posts", "rooms", "parley"}
BROADCAST = ["card", "posts", "article", "update", "updates", "comment", "comment_body", "comments"]
BROADCAST += ["comments_state", "older_comments", "more_replies"]
BROADCAST += ["badge", "retitle", "notification", "notifications", "announcement", "announcements"]
BROADCAST += ["message", "message_body", "messages", "earlier", "newest", "room_state", "room_left", "room_row"]
BROADCAST += ["people_here", "came", "typing", "begun", "gone", "latest"]


def sources(app):
    return [file for file in (ROOT / app).rglob("*.py") if "tests" not in file.parts and "migrations" not in file.parts]


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
    rendered = re.findall(r'"partials/(\w+)\.html"', "".join(streams))
    assert set(rendered) - {"withdrawn"} <= set(BROADCAST)


def test_site_is_no_package_and_the_standard_one_stands():
    assert not (ROOT / "site/__init__.py").exists()
    assert ROOT not in Path(site.__file__).resolve().parents


def test_there_is_no_javascript_of_our_own():
    scripts = [file.relative_to(ROOT) for file in (ROOT / "static").rglob("*.js")]
    assert scripts == [Path("static/js/htmx-ws.js")]
    for template in (ROOT / "templates").rglob("*.html"):
        for attributes in re.findall(r"<script([^>]*)>", template.read_text()):
            assert "src=" in attributes or "application/ld+json" in attributes, template
        assert not re.search(r"\s(on\w+|hx-on\S*|style)=|javascript:|\bjs:", template.read_text()), template


def test_every_form_that_htmx_sends_says_so_if_that_fails():
    """With ``partials/failed.html``; a line in a room has words of its own."""
    forms = 0
    for file in (ROOT / "templates").rglob("*.html"):
        for form in re.findall(r"<form[^<]*?hx-post=.*?</form>", file.read_text(), re.DOTALL):
            forms += 1
            assert "partials/failed.html" in form or 'class="unsent"' in form, file.name
    assert forms >= 11

"""Everything that the site says, it says in Chinese as well.

Run these after a change of words, translate what is empty or fuzzy in ``locale/zh_Hans``, and compile::

    .venv/bin/python manage.py makemessages -l zh_Hans --no-obsolete --no-location --ignore .venv --ignore var
    .venv/bin/python manage.py compilemessages -l zh_Hans --ignore .venv
"""

import ast
import gettext
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.html import strip_tags
from django.utils.translation import gettext_noop as _
from django.utils.translation import ngettext_lazy, pgettext_lazy
from django.utils.translation.template import templatize

from people.models import Person
from posts.models import Comment

ROOT = Path(__file__).resolve().parent.parent.parent
CATALOGUE = ROOT / "locale/zh_Hans/LC_MESSAGES"
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z]|\{\w*\}")
LITERAL = re.compile(r"""\s*u?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*,?""")

# What Django and allauth say on our pages, but badly or not at all in Chinese. As it stands here, makemessages
# puts it among our own words, which win over theirs.
OTHERS = [
    _(":"),
    pgettext_lazy("field label", "Login"),
    _("Username or email"),
    _("If you have not created an account yet, then please %(link)ssign up%(end_link)s first."),
    _("Already have an account? Then please %(link)ssign in%(end_link)s."),
    _("Sign Out"),
    _("Are you sure you want to sign out?"),
    _("You have signed out."),
    _("Successfully signed in as %(name)s."),
    _("The username and/or password you specified are not correct."),
    _("The email address and/or password you specified are not correct."),
    _("Hello from %(site_name)s!"),
    _("Please Confirm Your Email Address"),
    _("Enter a valid email address."),
    ngettext_lazy(
        "This password is too short. It must contain at least %d character.",
        "This password is too short. It must contain at least %d characters.",
    ),
    ngettext_lazy(
        "Ensure this value has at least %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at least %(limit_value)d characters (it has %(show_value)d).",
        "limit_value",
    ),
    ngettext_lazy(
        "Ensure this value has at most %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at most %(limit_value)d characters (it has %(show_value)d).",
        "limit_value",
    ),
]

FIXED = {
    "Write something first.": "请先写点内容。",
    "Comments can have at most %(most)s characters (yours has %(n)s).": "评论最多 %(most)s 个字符（当前 %(n)s 个）。",
    "This thread is too deep. Reply higher up.": "楼层太深，请回复上层评论。",
    "The time to edit this comment has passed.": "已超过可编辑时间。",
    "Deleted by its author.": "作者已删除。",
    "That comment was removed while you were writing.": "你回复的评论刚被移除。",
    "Removed by a moderator: %(reason)s": "已被管理员移除：%(reason)s",
    "Comments are closed.": "评论已关闭。",
    "Your comment waits for review.": "评论待审核。",
    "You are posting too fast. Try again in %(n)s s.": "发送过快，请 %(n)s 秒后再试。",
    "Comments": "评论",
}


# Reading: what is said, and what the catalogue holds. Messages are named as in a .mo: context, \4, message.


@dataclass
class Message:
    name: str
    plural: str | None = None
    words: list = field(default_factory=list)
    fuzzy: bool = False


def files(*endings):
    """The project's files with one of the ``endings``."""
    for folder in ROOT.iterdir():
        if folder.is_dir() and folder.name != "var" and not folder.name.startswith("."):
            yield from (file for file in folder.rglob("*") if file.suffix in endings)


def call(function, strings):
    """The ``Message`` that a call of one of gettext's functions asks for, or None if it isn't one."""
    kind = re.fullmatch(r"(n?)(p?)gettext(_lazy|_noop)?", function or "")
    if not kind or not strings:
        return None
    context = [strings.pop(0)] if kind[2] else []
    return Message("\4".join([*context, strings[0]]), strings[1] if kind[1] else None)


def said_by_template(text):
    """The messages of a template, by what Django hands to xgettext."""
    python = templatize(text)
    for found in re.finditer(r"\b(\w*gettext|_)\(", python):
        strings, at = [], found.end()
        while literal := LITERAL.match(python, at):
            strings.append(ast.literal_eval(literal[1]))
            at = literal.end()
        if message := call("gettext" if found[1] == "_" else found[1], strings):
            yield message


def said_by_python(text):
    tree = ast.parse(text)
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = getattr(node.func, "attr", None) or names.get(getattr(node.func, "id", None))
            strings = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if message := call(function, strings):
                yield message


def said():
    """All that templates and code say: dict of name to ``Message``."""
    messages = {}
    for file in [*files(".html", ".txt", ".py"), *ROOT.glob("*.py")]:
        read = said_by_python if file.suffix == ".py" else said_by_template
        for message in read(file.read_text()):
            if message.name not in messages or message.plural:
                messages[message.name] = message
    return messages


def catalogue():
    """The messages of the .po, its header included: dict of name to ``Message``."""
    messages = {}
    for block in (CATALOGUE / "django.po").read_text().split("\n\n"):
        parts, key = {}, None
        for line in block.splitlines():
            if line.startswith("#"):
                assert not line.startswith("#~"), f"obsolete: {line}"
                continue
            if not line.startswith('"'):
                key, line = line.split(" ", 1)
            parts[key] = parts.get(key, "") + ast.literal_eval(line)
        context = [parts["msgctxt"]] if "msgctxt" in parts else []
        name = "\4".join([*context, parts["msgid"]])
        assert name not in messages, f"twice: {name}"
        words = [text for key, text in parts.items() if key.startswith("msgstr")]
        fuzzy = bool(re.search(r"^#,.*\bfuzzy\b", block, re.MULTILINE))
        messages[name] = Message(name, parts.get("msgid_plural"), words, fuzzy)
    return messages


def compiled():
    """What the .mo holds: dict of name, or (name, number of the plural's form), to str."""
    with (CATALOGUE / "django.mo").open("rb") as file:
        return gettext.GNUTranslations(file)._catalog


# Files


def test_the_readers_read():
    page = (
        "{% load i18n %}<a title=\"{% translate 'Pages' %}\">{% blocktranslate count n=3 with a=b trimmed %}\n"
        "{{ n }} day {{ a }}{% plural %}{{ n }} days {{ a }}{% endblocktranslate %}</a>"
        '{% translate "It\'s" context "short" as it %}{{ _("Yes")|upper }}{# translate "No" #}'
    )
    assert [(m.name, m.plural) for m in said_by_template(page)] == [
        ("Pages", None),
        ("%(n)s day %(a)s", "%(n)s days %(a)s"),
        ("short\4It's", None),
        ("Yes", None),
    ]
    code = "from django.utils.translation import gettext as _, npgettext\n_('a' 'b')\nnpgettext('c', 'd', 'e', 5)\n_(a)"
    assert [(m.name, m.plural) for m in said_by_python(code)] == [("ab", None), ("c\4d", "e")]


def test_the_catalogue_holds_what_is_said():
    ours, theirs = said(), catalogue()
    theirs.pop("")
    assert len(ours) > 100
    missing, unsaid = ours.keys() - theirs.keys(), theirs.keys() - ours.keys()
    assert not missing and not unsaid, f"Run makemessages.\nmissing: {missing}\nno longer said: {unsaid}"
    assert {name: theirs[name].plural for name in ours} == {name: ours[name].plural for name in ours}


def test_everything_is_translated():
    for message in catalogue().values():
        assert message.words and all(message.words), f"not translated: {message.name}"
        assert not message.fuzzy, f"fuzzy: {message.name}"
        assert len(message.words) == 1, f"Chinese knows no plural: {message.name}"


def test_translations_keep_the_placeholders():
    for message in catalogue().values():
        if not message.name:  # the header
            continue
        wanted = sorted(PLACEHOLDER.findall(message.plural or message.name.rpartition("\4")[2]))
        assert sorted(PLACEHOLDER.findall(message.words[0])) == wanted, message.name


def test_the_catalogue_is_compiled():
    wanted = {(name, 0) if m.plural else name: m.words[0] for name, m in catalogue().items() if name}
    held = compiled()
    assert "nplurals=1" in held.pop("")
    assert held == wanted, "Run compilemessages."


# Pages


@pytest.fixture(autouse=True)
def language_ends_with_the_test():
    """Django's test client leaves the language of its last answer behind."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def plain_static_files(settings):
    """As in posts/tests/conftest.py."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


@pytest.mark.parametrize("english", FIXED)
def test_fixed_wordings(english):
    with translation.override("zh-hans"):
        assert translation.gettext(english) == FIXED[english]


def test_a_refusal_says_the_numbers_in_chinese(settings):
    settings.COMMENT_LENGTH = 3
    with translation.override("zh-hans"), pytest.raises(ValidationError) as refusal:
        Comment.readable("abcdef")
    with translation.override("zh-hans"):
        assert refusal.value.messages == ["评论最多 3 个字符（当前 6 个）。"]


def english(response):
    """The English words on a page: not names, nor what was typed."""
    page = response.content.decode()
    shown = strip_tags(re.sub(r"(?s)<(head|script|svg)\b.*?</\1>", " ", page))
    shown += " ".join(re.findall(r'(?:placeholder|aria-label|title|alt)="([^"]*)"', page))
    shown = re.sub(r"\S+@\S+", " ", shown)
    return set(re.findall(r"[A-Za-z]{2,}", shown)) - {"Parley", "English", "Markdown", "mei", "lin"}


@pytest.mark.django_db
def test_the_doors_speak_chinese(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-hans"
    Person.objects.create_user("mei", "mei@example.org", "zanzibar-9-x")
    taken = {"username": "mei", "email": "mei@example.org", "password1": "1234", "password2": "1234"}
    wrong = {"username": "l l", "email": "lin", "password1": "mei-and-lin-7", "password2": "mei-and-lin-8"}
    for address, forms in {
        "/": [],
        "/nowhere/": [],
        "/accounts/login/": [
            {},
            {"login": "mei", "password": "wrong"},
            {"login": "mei@example.org", "password": "wrong"},
        ],
        "/accounts/signup/": [{}, taken, wrong, wrong | {"username": "l"}, wrong | {"username": "l" * 31}],
        "/accounts/password/reset/": [{}],
    }.items():
        assert not english(client.get(address)), address
        for sent in forms:
            answer = client.post(address, sent)
            assert answer.status_code == 200 and not english(answer), (address, sent)
    home = client.post("/accounts/login/", {"login": "mei", "password": "zanzibar-9-x"}, follow=True)
    assert "你好，mei，你已登录。" in home.content.decode() and not english(home)
    assert not english(client.get("/accounts/logout/"))
    home = client.post("/accounts/logout/", follow=True)
    assert "你已退出登录。" in home.content.decode() and not english(home)


@pytest.mark.django_db
def test_the_first_mail_is_in_chinese(client, mailoutbox):
    password = "zanzibar-9-x"
    form = {"username": "lin", "email": "lin@example.org", "password1": password, "password2": password}
    client.post("/accounts/signup/", form, headers={"Accept-Language": "zh-hans"})
    [mail] = mailoutbox
    assert mail.subject.endswith("请确认你的电子邮件地址")
    assert "向你问好！" in mail.body and "Hello" not in mail.body

"""A person's own data as a zip. An app that keeps something of theirs has an ``export.py``::

    @exports("comments")
    def comments(person):
        for comment in person.comments.all():
            yield {"at": comment.created_at, "on": comment.post.title, "text": comment.body}

The dicts hold what JSON can, and dates; ``text`` is Markdown. Of what others said there is nothing.
"""

import json
from tempfile import TemporaryFile
from zipfile import ZIP_DEFLATED, ZipFile

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from people.rates import TOO_OFTEN, consume

exporters = {}


def exports(name):
    """Decorator: the generator function ``(person) -> dicts`` makes ``name``.json and ``name``.md."""

    def remember(function):
        exporters[name] = function
        return function

    return remember


def export(person, address=None):
    """All that is kept of ``person``: a zip in a temporary file (binary, at its beginning).

    ``address`` (str) is where they ask from, for it costs much. Raises ``TooFast``.
    """
    with transaction.atomic():
        consume("export", person, address, TOO_OFTEN)
    file = TemporaryFile()  # noqa: SIM115  the answer closes it
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, function in exporters.items():
            with archive.open(f"{name}.json", "w") as out:
                out.writelines(as_json(function(person)))
            with archive.open(f"{name}.md", "w") as out:
                out.writelines(as_markdown(name, function(person)))
    file.seek(0)
    return file


def as_json(entries):
    """Yields lines (bytes) of a list of ``entries`` (dicts)."""
    before = b"[\n"
    for entry in entries:
        yield before + json.dumps(entry, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1).encode()
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def as_markdown(name, entries):
    """Yields paragraphs (bytes) that tell of ``entries`` (dicts): what each is about, and then its text."""
    yield f"# {name}\n".encode()
    for entry in entries:
        facts = [
            f"- {key}: {in_one_line(value)}"
            for key, value in entry.items()
            if key != "text" and value not in ("", None)
        ]
        yield "\n".join(["\n---\n", *facts, "", entry.get("text", ""), ""]).encode()


def in_one_line(value):
    """A fact in one line (str)."""
    values = value if isinstance(value, list) else [value]
    return ", ".join(" ".join(str(part).split()) for part in values)


@exports("profile")
def profile(person):
    yield {
        "username": person.username,
        "display name": person.display_name,
        "e-mail": person.email,
        "language": person.language,
        "time zone": person.time_zone,
        "mail": person.mail,
        "appear offline": person.appear_offline,
        "joined": person.date_joined,
        "last sign-in": person.last_login,
        "addresses": list(person.emailaddress_set.values_list("email", flat=True)),
        "groups": list(person.groups.values_list("name", flat=True)),
        "text": person.bio,
    }


@exports("sessions")
def sessions(person):
    for session in person.usersession_set.order_by("created_at"):
        yield {"at": session.created_at, "address": session.ip, "browser": session.user_agent}

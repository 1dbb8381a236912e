"""Writes ``performance.md`` and ``performance.svg`` from what was measured."""

import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from textwrap import fill

from bench import chart, fanout, pages, verdict
from bench.cells import SHARE, Figure, column, compared

QUIET = 0.05  # of the machine: more than that in other hands, and the numbers are provisional
ABOUT_ALL = ["# Performance", "## Targets", "## What is not good", "## To repeat"]  # not about one stage


def write(found, folder):
    """Write the report on ``found`` (dict of stages) into ``folder`` (Path), and print it.

    A report that is there already, with sections of stages that are not among ``found``, keeps them.
    """
    place, text = folder / "performance.md", compose(found)
    former = place.read_text() if place.exists() else ""
    kept = [heading[3:] for heading in sections(former) if heading not in sections(text)]
    if kept:
        text = amend(former, text, found)
    else:
        (folder / "performance.svg").write_text(render(found))
    place.write_text(text)
    print(text)
    print(f"Written to {place}.")
    if kept:
        print(f"Kept, for want of results: {', '.join(kept)}, and with them what is about all stages.")


def compose(found):
    """The whole report (str) on ``found``, and on nothing else."""
    parts = [
        "# Performance",
        introduction(found),
        "![The most important results as bars and lines](performance.svg)",
        "## Targets\n\n" + verdict.targets(found),
        "## What is not good\n\n" + verdict.remarks(found),
        "fanout" in found and report_fanout(found["fanout"]["tables"]),
        "pages" in found and report_pages(found["pages"]["tables"]),
        "writing" in found and report_writing(found["writing"]["tables"]),
        "growth" in found and report_growth(found["growth"]["tables"]),
        "burst" in found and report_burst(found["burst"]["tables"]),
        REPEAT,
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def amend(former, text, found):
    """The report ``former`` (str) with the sections of ``text`` on single stages, and on what these were measured."""
    new = sections(text)
    told = {heading: f"{part}\n\n{introduction(found)}" for heading, part in new.items() if heading not in ABOUT_ALL}
    parts = sections(former) | told
    parts.pop(ABOUT_ALL[-1], None)
    return "\n\n".join([*parts.values(), REPEAT]) + "\n"


def sections(text):
    """The parts (str) of a report, by their first lines."""
    parts = re.split(r"\n+(?=## )", text.strip())
    return {part.partition("\n")[0]: part for part in filter(None, parts)}


# What it was measured on


def introduction(found):
    stages = ", ".join(f"{name} {stage['when'][:10]}" for name, stage in found.items())
    text = (
        f"Measured with `bench/run` ({stages}). Every figure is the median of all rounds with the lowest and the "
        "highest in brackets; the rounds of those compared are interleaved (A B C A B C …), each with a process "
        f"freshly started. {machine()}"
    )
    doubts = [f"{name} was run with --quick" for name, stage in found.items() if stage["scale"] == "quick"]
    doubts += [
        f"others used {stage['noise']:.0%} of the machine during {name}"
        for name, stage in found.items()
        if stage["noise"] > QUIET
    ]
    if doubts:
        text += f"\n\n**Provisional:** {'; '.join(doubts)}."
    return "\n\n".join(fill(paragraph, 120) for paragraph in text.split("\n\n"))


def machine():
    cpus = re.findall(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) / 2**20
    return (
        f"The machine: {len(cpus)} × {cpus[0] if cpus else platform.machine()}, {memory:.0f} GiB, Linux "
        f"{platform.release().split('-')[0]}; server and load share it. Versions: {', '.join(versions())}."
    )


def versions():
    yield f"Python {platform.python_version()}"
    for name in ("Django", "channels", "daphne", "uvicorn", "uvloop", "httptools", "websockets", "channels-redis"):
        yield f"{name} {version(name)}"
    for name, *command in (
        ("Node", "node", "--version"),
        ("ws", "node", "-p", "require('./bench/.cache/node_modules/ws/package.json').version"),
        ("nginx", "/usr/sbin/nginx", "-v"),
        ("nchan", "dpkg-query", "-W", "-f", "${Version}", "libnginx-mod-nchan"),
        ("wrk", "wrk", "-v"),
        ("gcc", "gcc", "-dumpfullversion"),
        ("PostgreSQL", "psql", "--version"),
        ("Redis", "redis-server", "--version"),
    ):
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except OSError:
            continue
        if number := re.search(r"\d+(\.\d+)+", done.stdout + done.stderr):
            yield f"{name} {number[0]}"


# Stages: a column is what stands above it, the key of its values, and what they are multiplied with.

FANOUT_COLUMNS = [
    ("deliveries/s", "rate", 1),
    ("of the limit", SHARE, 1),
    ("CPU µs each", "cpu", 1e6),
    ("p50 ms", "p50", 1e3),
    ("p99 ms", "p99", 1e3),
    ("publishing alone, ms", "alone", 1e3),
    ("all in all, deliveries/s", "whole", 1),
    ("client busy", "busy", 1),
]
CONNECT_COLUMNS = [
    ("handshakes/s", "connects", 1),
    ("CPU µs each", "connect_cpu", 1e6),
    ("kB each, idle", "memory", 1e-3),
]
PAGES_COLUMNS = [
    ("requests/s", "rate", 1),
    ("of nginx", SHARE, 1),
    ("CPU µs each", "cpu", 1e6),
    ("p99 ms", "p99", 1e3),
    ("bytes", "bytes", 1),
    ("client busy", "busy", 1),
]
WRITING_COLUMNS = [
    ("comments/s", "rate", 1),
    ("CPU ms each", "cpu", 1e3),
    ("database's CPU ms each", "database_cpu", 1e3),
    ("visible after, p50 ms", "p50", 1e3),
    ("p95 ms", "p95", 1e3),
    ("under load, p50 ms", "busy_p50", 1e3),
    ("p95 ms", "busy_p95", 1e3),
]
BURST_COLUMNS = [
    ("lines/s", "said", 1),
    ("all have all after, s", "seconds", 1),
    ("of Channels", SHARE, 1),
    ("CPU ms each", "cpu", 1e3),
    ("p50 ms", "p50", 1e3),
    ("p95 ms", "p95", 1e3),
    ("deliveries", "frames", 1),
    ("lines in each", "merged", 1),
    ("bytes for a line", "bytes", 1),
]
COMMENT_COLUMNS = [("a comment: CPU ms", "cpu", 1e3), ("visible after, p50 ms", "p50", 1e3)]
GROWTH_COLUMNS = {
    "comments": [*COMMENT_COLUMNS, ("its page: CPU ms", "page_cpu", 1e3), ("kB", "page_bytes", 1e-3)],
    "pages": [*FANOUT_COLUMNS[:1], *FANOUT_COLUMNS[2:], CONNECT_COLUMNS[-1]],
    "streams": [*COMMENT_COLUMNS, ("p99 ms", "p99", 1e3), ("when nothing happens: CPU ms a second", "idle", 1e3)],
    "processes": [*FANOUT_COLUMNS[:1], *FANOUT_COLUMNS[2:]],
}


def report_fanout(tables):
    parts = [FANOUT]
    for sockets, rows in tables.items():
        signed_in = fanout.SIGNED_IN.values()
        told = {title: found for title, found in rows.items() if title not in signed_in}
        parts.append(f"### To {int(sockets):,} sockets\n\n{compared('', told, FANOUT_COLUMNS, fanout.LIMIT)}")
        parts.append(f"### Opening {int(sockets):,} sockets\n\n{CONNECTING}\n\n{compared('', rows, CONNECT_COLUMNS)}")
    return "\n\n".join(parts)


def report_pages(rows):
    return f"{PAGES_ARE}\n\n{compared('', rows, PAGES_COLUMNS, pages.NGINX)}"


def report_writing(rows):
    return f"{WRITING}\n\n{compared('', rows, WRITING_COLUMNS)}"


def report_growth(tables):
    parts = [GROWTH]
    for name, (first, words) in GROWN_BY.items():
        parts.append(f"{words}\n\n{compared(first, tables[name], GROWTH_COLUMNS[name])}")
    return "\n\n".join(parts)


def report_burst(tables):
    return f"{BURST.format(**tables)}\n\n{compared('', tables['rows'], BURST_COLUMNS, fanout.ONCE)}"


# The picture


def render(found):
    panels = []
    if "fanout" in found:
        sockets, rows = next(iter(found["fanout"]["tables"].items()))
        shown = [(title, one) for title, one in rows.items() if title not in fanout.SIGNED_IN.values()]
        panels.append(
            chart.bars(f"One comment to {sockets} sockets", "deliveries per second, one process", bars_of(shown))
        )
    if "pages" in found:
        panels.append(
            chart.bars(
                "The page of a post of 50 comments",
                "requests per second, one process",
                bars_of(found["pages"]["tables"].items()),
            )
        )
    if "growth" in found:
        tables = found["growth"]["tables"]
        panels.append(
            chart.lines(
                "As more pages are open",
                "CPU of the server for each delivery, in µs",
                [int(size) for size in tables["pages"]],
                [("one delivery", figures(tables["pages"], "cpu", 1e6))],
            )
        )
        panels.append(
            chart.lines(
                "As a post has more comments",
                "CPU of the server, in ms",
                [int(size) for size in tables["comments"]],
                [
                    ("one more comment", figures(tables["comments"], "cpu", 1e3)),
                    ("the page, uncached", figures(tables["comments"], "page_cpu", 1e3)),
                ],
            )
        )
    return chart.svg(panels)


def bars_of(rows):
    return [(title, Figure(column(one, "rate")), "Parley" in title) for title, one in rows if not isinstance(one, str)]


def figures(rows, key, scale):
    return [Figure(column(one, key, scale)) for one in rows.values()]


# Words

FANOUT = """## Fan-out

The same HTML, which is what Parley tells a page of one comment, goes to all sockets of one process. It is published by
an HTTP POST, and the next one follows when every socket has the last: so for all alike. For Parley that POST is a real
comment, with sign-in, form, database and rendering; the others are handed the finished text, but for the tutorial,
which renders Parley's own partial for each socket. The columns:

- *Deliveries/s*: from the first delivery of a text, or from when a single socket would have had it if that is earlier,
  to the last. So publishing is left out, and preparing a text for each socket is not.
- *CPU*: the server's, the kernel's work on its behalf included, for one socket more. What a text to a single socket
  costs is taken off.
- *p50, p99*: from the start of the POST to the arrival, publishing included.
- *Publishing alone*: the same with a single socket.
- *All in all*: the rate that remains when every text waits for its POST.
- *Client busy*: the share of one core that the load client used meanwhile. Near 1 it would be the limit itself."""
CONNECTING = """The client keeps 32 handshakes under way. *CPU* holds everything until the server is quiet again:
subscription, sign-in where there is one, the count of readers. *kB* is resident memory of the process; what the kernel
keeps for a socket is not in it. The signed-in are as many different people."""
PAGES_ARE = """## Pages

The anonymous page of a post of 50 comments, from 16 connections that ask again as soon as they are answered."""
WRITING = """## Writing

Comments posted over HTTP, to a post of 50. First one writer, who waits until the page of somebody else has the comment:
*visible after* is the time from the start of the POST. Then eight writers at once, each as quickly as it is answered.
PostgreSQL survives a power cut (`fsync`); SQLite in WAL mode with `synchronous=NORMAL` may lose the last moments."""
GROWTH = """## Growth

All on uvicorn, as it ships."""
GROWN_BY = {  # what stands above the first column, and above the table
    "comments": ("comments", "One comment to one open page; and the page itself, made by Django without any cache."),
    "pages": ("open pages", "As in *Fan-out*, with more or fewer sockets."),
    "streams": (
        "posts",
        "Each post has one listener; comments to one post after the other. The last column is the heartbeat, "
        "which looks after every stream.",
    ),
    "processes": (
        "processes",
        "With PostgreSQL and Redis, and as many sockets in all. *CPU* is that of the processes that have sockets; "
        "they, the load, PostgreSQL and Redis share the machine. In the last row nobody writes on the process that has "
        "the sockets: its CPU is delivery and nothing else.",
    ),
}
BURST = """## Burst

{lines} lines, said in one room by five people at once over HTTP, each as quickly as it is answered, while {pages}
people have it open, all signed in. There are figures only if every page was told every line, in the order in which the
room keeps them. The last row is the chat of Channels' tutorial, telling the finished HTML of a line in the place of its
JSON: its POST has no sign-in, form or database, and any order will do that is the same on all pages. The columns:

- *Lines/s*: said, from the first POST to the last answer.
- *All have all*: from the first POST until the last page had the last line; *of Channels* compares the speeds.
- *CPU*: the server's for a line, taken and told to all pages. That of PostgreSQL and Redis is not in it.
- *p50, p95*: from the start of the POST to the arrival, over all lines and pages.
- *Deliveries*: the texts that carried lines, to all pages together. What is said while one is made goes with the next.
- *Bytes*: of these texts, for a line to one page.

In a members' room everybody who has it open is asked for their right before each delivery."""
REPEAT = """## To repeat

    bench/run                    # all, in some 20 minutes, on a machine that has nothing else to do
    bench/run --quick            # whether it works, in two or three
    bench/run --full fanout      # with 5000 sockets, too

It installs what it needs (on Debian and its relatives), and reports a peer that cannot be installed as absent.
`bench/client.c` is the load, `bench/limit.c` the limit; both say at their beginning what they do."""

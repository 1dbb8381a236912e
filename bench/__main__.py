"""Measure Parley against its peers, and write down what came out.

    bench/run [--quick | --full] [--env NAME=VALUE]... [fanout] [pages] [writing] [growth] [burst] [report]

Without a stage all five are run, in some 20 minutes; "report" only writes down once more what is known.
--quick shows in two or three minutes that everything works, with one round of a smaller crowd; its report
stays in bench/.cache. --full adds a crowd of 5000. --env sets a variable for Parley's processes.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE / ".cache"
STAGES = ["fanout", "pages", "writing", "growth", "burst"]
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Scale:
    """How much is measured; ``seconds`` is how long one measurement lasts, but for what takes longer."""

    name: str = "default"
    rounds: int = 3
    seconds: float = 2
    crowd: int = 1000
    sockets: tuple = (1000,)
    comments: tuple = (10, 100, 1000, 10_000)
    open_pages: tuple = (100, 500, 1000, 2500, 5000)
    streams: tuple = (1, 10, 100, 1000)
    listeners: int = 200
    lines: int = 500


QUICK = Scale("quick", 1, 0.5, 200, (200,), (10, 1000), (100, 400), (1, 100), 40, 50)
FULL = Scale("full", sockets=(1000, 5000))


def main():
    scale, stages, env = read_arguments()
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        os.environ |= {"VAR": folder, "SECRET_KEY": secrets.token_urlsafe(60)}
        os.environ["DJANGO_SETTINGS_MODULE"] = "parley.settings"
        import django

        django.setup()
        measure(scale, stages, env)


def read_arguments():
    parser = argparse.ArgumentParser("bench/run", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("stages", nargs="*", metavar="STAGE", choices=[*STAGES, "report", []])
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_const", dest="scale", const=QUICK, default=Scale())
    size.add_argument("--full", action="store_const", dest="scale", const=FULL)
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    env = dict(pair.split("=", 1) for pair in options.env)
    return options.scale, options.stages or STAGES, env


def measure(scale, stages, env):
    from bench import burst, fanout, growth, pages, report, writing
    from bench.crowd import Crowd

    for name in ("client", "limit"):
        subprocess.run(["gcc", "-O2", "-Wall", "-o", CACHE / name, HERE / f"{name}.c"], check=True)
    Crowd.program = str(CACHE / "client")
    file = CACHE / f"{'quick' if scale.name == 'quick' else 'results'}.json"
    found = json.loads(file.read_text()) if file.exists() else {}
    runs = {"fanout": fanout.run, "pages": pages.run, "writing": writing.run, "growth": growth.run, "burst": burst.run}
    for stage in (one for one in STAGES if one in stages):
        others, began = Others(), time.monotonic()
        tables = runs[stage](scale, lambda made, run, stage=stage: in_turn(stage, made, run, scale.rounds), env)
        found[stage] = {
            "when": datetime.now(UTC).isoformat(timespec="minutes"),
            "scale": scale.name,
            "noise": others.share,
            "minutes": (time.monotonic() - began) / 60,
            "env": env,
            "tables": tables,
        }
        file.write_text(json.dumps(found, indent=1))
    report.write(json.loads(file.read_text()), CACHE if scale.name == "quick" else HERE.parent / "docs")


def in_turn(stage, made, run, rounds):
    """Measure A B C A B C ...: ``run(one)`` for each of ``made`` (dict). → title -> list of what it returned

    What is absent has the sentence that says why instead of a list.
    """
    from bench.peers import Absent

    rows = {title: [] for title in made}
    for number in range(rounds):
        for title, one in made.items():
            if isinstance(rows[title], str):
                continue
            print(f"{stage}, round {number + 1} of {rounds}: {title}", file=sys.stderr, flush=True)
            try:
                rows[title].append(run(one))
            except Absent as absence:
                rows[title] = str(absence)
    return rows


class Others:
    """How much of the machine those used who are not of this benchmark, since this was made."""

    def __init__(self):
        self.before = self.look()

    @staticmethod
    def look():
        """→ seconds of CPU that there were, that were used, and that we used with all whom we started and ended"""
        fields = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
        total, idle = sum(fields), fields[3] + fields[4]
        return total / TICK, (total - idle) / TICK, sum(os.times()[:4])

    @property
    def share(self):
        """A number between 0 and 1, which is all of the machine."""
        total, used, ours = (now - earlier for now, earlier in zip(self.look(), self.before, strict=True))
        return max(0, used - ours) / total


main()

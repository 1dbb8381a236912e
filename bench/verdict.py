"""What was wanted of Parley, what of that was missed, and what is not good besides."""

from bench import burst, fanout, pages, writing
from bench.cells import Figure, column, ends, middle, ratio, show, table

FULL = 0.9  # of a core: a load client that busy may have been the limit itself

# Targets


def targets(found):
    rows = [
        row
        for stage in ("fanout", "pages", "growth")
        if stage in found
        for row in WANTED[stage](found[stage]["tables"])
    ]
    return table(["target", "wanted", "measured", "", "why"], rows)


def fanout_targets(tables):
    sockets = "1000" if "1000" in tables else next(iter(tables))
    rows = tables[sockets]
    crowd = f"{sockets} sockets: rate, as a share of"
    for title, other, words, wanted, why in (
        (fanout.PLAIN, fanout.TUTORIAL, "the tutorial's", 28, TEMPLATE),
        (fanout.PLAIN, fanout.NODE, "Node ws's", 0.8, SEND),
        (fanout.PLAIN, fanout.LIMIT, "the limit's", 0.55, SEND),
        (fanout.FAST, fanout.NODE, "Node ws's", 1.0, SHORT),
        (fanout.FAST, fanout.LIMIT, "the limit's", 0.75, SHORT),
    ):
        yield compare(f"{title}, {crowd} {words}", ratio(rows[title], rows[other], "rate"), wanted, why=why)
    memory = column(rows[fanout.FAST], "memory", 1e-3)
    yield compare(f"{fanout.FAST}: kB for each idle connection", memory, 40, at_most=True, why=KEPT)


def pages_targets(rows):
    ours = rows[pages.UVICORN]
    yield compare("Anonymous page, as a share of nginx's rate", ratio(ours, rows[pages.NGINX], "rate"), 0.4, why=PAGES)
    yield compare("304, as a share of the page's rate", ratio(rows[pages.UVICORN_304], ours, "rate"), 1.0, why=PAGES)
    spent = column(rows[pages.DJANGO], "cpu", 1e3)
    yield compare("Page of 50 comments through Django: ms of CPU", spent, 25, at_most=True, why=DJANGO)


def growth_targets(tables):
    rows = tables["comments"]
    few, many = ends(rows)
    words = f"A comment on a post of {many}, against one of {few}: CPU"
    yield compare(words, ratio(rows[many], rows[few], "cpu"), 1.25, at_most=True, why=GROWN)


WANTED = {"fanout": fanout_targets, "pages": pages_targets, "growth": growth_targets}
TEMPLATE = "The tutorial's cost is its template's."
SEND = "uvicorn makes a frame of the text anew for each socket."
SHORT = "What Python itself costs for each socket remains."
KEPT = "What the server and the page's consumer keep for each socket."
PAGES = "Python reads each request and writes each head."
DJANGO = "Sixteen ask at once, and its threads wait for each other; asked one by one it costs what stands in Growth."
GROWN = "A query walks over all comments of the post."


def compare(words, values, wanted, *, at_most=False, why):
    """One row of the table of targets, ``values`` being one number for each round, or why there are none."""
    bound = f"{'≤' if at_most else '≥'} {wanted:g}"
    if isinstance(values, str):
        return [words, bound, values, "absent", ""]
    middle = Figure(values).middle
    off = middle / wanted - 1 if at_most else 1 - middle / wanted
    return [words, bound, show(values), f"missed by {off:.0%}" if off > 0 else "met", why if off > 0 else ""]


# What is not good


def remarks(found):
    return "\n".join(f"- {remark}" for stage in found for remark in REMARKS[stage](found[stage]["tables"]))


def fanout_remarks(tables):
    rows = next(iter(tables.values()))
    fast, daphne, signed_in = rows[fanout.FAST], rows[fanout.DAPHNE], rows[fanout.SIGNED_IN[fanout.FAST]]
    yield (
        f"Publishing: a comment costs {middle(fast, 'cpu_alone', 1e3)} ms of CPU before the first page has it "
        "(sign-in, form, database, and rendering it for the pages and for the answer). Text after text, that leaves "
        f"{middle(fast, 'whole')} deliveries a second of the {middle(fast, 'rate')} that delivering alone makes."
    )
    yield (
        f"daphne delivers {middle(daphne, 'rate')} a second, {show(ratio(daphne, fast, 'rate'))} of uvicorn's rate: "
        "it is for development."
    )
    yield (
        f"Connecting costs {middle(fast, 'connect_cpu', 1e3)} ms of CPU, and signed in "
        f"{middle(signed_in, 'connect_cpu', 1e3)} ms, for the database is asked who it is and what they may hear; "
        f"Node ws, which asks nobody, takes {middle(rows[fanout.NODE], 'connect_cpu', 1e3)} ms."
    )
    for title, found in rows.items():
        measured = title not in fanout.SIGNED_IN.values() and not isinstance(found, str)
        if measured and Figure(column(found, "busy")).middle > FULL:
            yield f"The load client was as busy as it can be with {title}: that may be faster than what stands here."


def pages_remarks(rows):
    yield (
        "Whoever is signed in gets no kept page, and neither does the first after a change: Django makes "
        f"{middle(rows[pages.DJANGO], 'rate')} pages a second, at {middle(rows[pages.DJANGO], 'cpu', 1e3)} ms of CPU "
        "each."
    )
    yield (
        f"daphne answers {middle(rows[pages.DAPHNE], 'rate')} kept pages a second, uvicorn "
        f"{middle(rows[pages.UVICORN], 'rate')}, and nginx {middle(rows[pages.NGINX], 'rate')}."
    )


def writing_remarks(rows):
    busy = rows[writing.SQLITE]
    yield (
        f"One process takes {middle(busy, 'rate')} comments a second. When eight people do nothing but write, they "
        f"wait for each other: half of the comments are seen after more than {middle(busy, 'busy_p50', 1e3)} ms."
    )


def growth_remarks(tables):
    few, many = ends(tables["comments"])
    yield (
        f"A comment on a post of {many} costs {middle(tables['comments'][many], 'cpu', 1e3)} ms of CPU, on one of "
        f"{few} {middle(tables['comments'][few], 'cpu', 1e3)} ms."
    )
    _, many = ends(tables["streams"])
    yield (
        f"While {many} posts are being read, the heartbeat takes {middle(tables['streams'][many], 'idle', 1e3)} ms of "
        "CPU in every second in which nothing happens."
    )
    one, two = tables["processes"]["1"], tables["processes"]["2"]
    yield (
        f"Two processes deliver at {show(ratio(two, one, 'rate'))} of the rate of one: here they share two cores with "
        "the load, the database and Redis."
    )


def burst_remarks(tables):
    rows = tables["rows"]
    free, asked = rows[burst.SQLITE], rows[burst.MEMBERS]
    yield (
        f"A line to {tables['pages']} pages costs {middle(asked, 'cpu', 1e3)} ms of CPU in a members' room, where the "
        f"right of everybody is asked for, and {middle(free, 'cpu', 1e3)} ms in an open one. In a burst half of the "
        f"pages have it after more than {middle(asked, 'p50', 1e3)} and {middle(free, 'p50', 1e3)} ms."
    )


REMARKS = {
    "fanout": fanout_remarks,
    "pages": pages_remarks,
    "writing": writing_remarks,
    "growth": growth_remarks,
    "burst": burst_remarks,
}

"""What stands in the cells of the report's tables: medians with their spread, of which three digits count."""

from statistics import median

SHARE = "share"  # the key of the rate as a share of that of another row


def compared(first, rows, columns, other=None):
    """The table of ``rows`` (title -> list of dict, or why there is none); ``other`` is the row of the shares."""
    body = []
    for title, found in rows.items():
        if isinstance(found, str):
            cells = [f"absent: {found}", *[""] * (len(columns) - 1)]
        else:
            cells = [
                show(ratio(found, rows[other], "rate") if key == SHARE else column(found, key, scale))
                for _, key, scale in columns
            ]
        body.append([title, *cells])
    return table([first, *(head for head, *_ in columns)], body)


def column(found, key, scale=1):
    """One number for each round, or why there are none (str)."""
    return found if isinstance(found, str) else [row[key] * scale for row in found]


def ratio(found, other, key):
    """``found`` over ``other``, round by round: they were measured next to each other."""
    for one in (found, other):
        if isinstance(one, str):
            return one
    return [row[key] / its[key] for row, its in zip(found, other, strict=True)]


def show(values):
    if isinstance(values, str):
        return "–"
    figure = Figure(values)
    if figure.low == figure.high:
        return number(figure.middle)
    return f"{number(figure.middle)} ({number(figure.low)}–{number(figure.high)})"


def number(value):
    """Three digits that count."""
    if value >= 100:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}" if value >= 0.001 else f"{max(0, value):.1g}"


def table(heads, rows):
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def middle(found, key, scale=1):
    """The median alone, for a sentence."""
    return "–" if isinstance(found, str) else number(Figure(column(found, key, scale)).middle)


def ends(rows):
    """The first and the last title of ``rows``."""
    first, *_, last = rows
    return first, last


class Figure:
    """The values (list of numbers) of all rounds as their ``middle`` (the median), ``low`` and ``high``."""

    def __init__(self, values):
        self.middle, self.low, self.high = median(values), min(values), max(values)

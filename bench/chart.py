"""Draws bars and lines as one SVG, for light and dark surroundings alike."""

from html import escape
from math import floor, log10

WIDTH, GAP = 540, 40  # of a panel, and between two
ROW, LABEL, NUMBER = 26, 245, 74  # a bar's height, the room for its name and for its value
PLOT = 190  # the height of a line panel's plot
STYLE = """
  .chart { --paper: #fff; --ink: #1f2328; --soft: #59636e; --rule: #d1d9e0; --ours: #0a7d55; --theirs: #8b949e;
    --second: #b35900; }
  @media (prefers-color-scheme: dark) {
    .chart { --paper: #0d1117; --ink: #e6edf3; --soft: #9198a1; --rule: #3d444d; --ours: #3fb98a; --theirs: #6e7681;
      --second: #e3a04f; }
  }
  .chart { font: 13px system-ui, sans-serif; fill: var(--ink); }
  .paper { fill: var(--paper); }
  .title { font-weight: 600; font-size: 15px; }
  .soft { fill: var(--soft); font-size: 12px; }
  .ours { fill: var(--ours); } .theirs { fill: var(--theirs); }
  .rule { stroke: var(--rule); } .spread { stroke: var(--ink); }
  .first { stroke: var(--ours); } .second { stroke: var(--second); }
  .line { fill: none; stroke-width: 2.5; }
  .first-dot { fill: var(--ours); } .second-dot { fill: var(--second); }
"""


def svg(panels):
    """One picture (str) of ``panels`` (list of pairs of SVG and height), two in a row."""
    parts, top = [], GAP / 2
    for number in range(0, len(panels), 2):
        row = panels[number : number + 2]
        for column, (drawing, _) in enumerate(row):
            parts.append(f'<g transform="translate({GAP / 2 + column * (WIDTH + GAP)} {top})">{drawing}</g>')
        top += max(height for _, height in row) + GAP
    width = 2 * WIDTH + 2 * GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top:.0f}" class="chart" role="img" '
        f'aria-label="Results of the benchmark"><style>{STYLE}</style>'
        f'<rect class="paper" width="{width}" height="{top:.0f}" rx="8"/>{"".join(parts)}</svg>\n'
    )


def bars(title, note, rows):
    """Bars of ``rows`` (list of name, ``Figure``, and whether it is ours), as ``svg`` takes it."""
    most = max((figure.high for _, figure, _ in rows), default=1)
    room = WIDTH - LABEL - NUMBER
    parts, top = heading(title, note)
    for name, figure, ours in rows:
        width, low, high = (room * value / most for value in (figure.middle, figure.low, figure.high))
        middle = top + ROW / 2
        parts.append(text(LABEL - 8, middle + 4, name, anchor="end"))
        parts.append(
            f'<rect class="{"ours" if ours else "theirs"}" x="{LABEL}" y="{top + 4}" width="{max(width, 1):.1f}" '
            f'height="{ROW - 8}" rx="2"/>'
        )
        parts.append(f'<path class="spread" d="M{LABEL + low:.1f} {middle}H{LABEL + high:.1f}"/>')
        parts.append(text(LABEL + high + 6, middle + 4, f"{figure.middle:,.0f}", "soft"))
        top += ROW
    return "".join(parts), top


def lines(title, note, ticks, series):
    """Lines over ``ticks`` (list of numbers, drawn by their logarithm), at most two.

    ``series`` is a list of name and list of ``Figure``; as ``svg`` takes it.
    """
    most = ceiling(max((figure.high for _, figures in series for figure in figures), default=1))
    parts, top = heading(title, note)
    left, bottom = 52, top + PLOT
    span = (log10(ticks[-1]) - log10(ticks[0])) or 1

    def x(tick):
        return left + (WIDTH - left - 30) * (log10(tick) - log10(ticks[0])) / span

    def y(value):
        return bottom - PLOT * value / most

    for share in (0, 0.5, 1):
        parts.append(f'<path class="rule" d="M{left} {y(share * most):.1f}H{WIDTH - 30}"/>')
        parts.append(text(left - 8, y(share * most) + 4, f"{share * most:.3g}", "soft", "end"))
    for tick in ticks:
        parts.append(text(x(tick), bottom + 18, f"{tick:,}", "soft", "middle"))
    for (_, figures), kind in zip(series, ("first", "second"), strict=False):
        points = [(x(tick), figure) for tick, figure in zip(ticks, figures, strict=True)]
        parts.append(
            f'<path class="line {kind}" d="M{"L".join(f"{at:.1f} {y(one.middle):.1f}" for at, one in points)}"/>'
        )
        for at, one in points:
            parts.append(f'<path class="spread" d="M{at:.1f} {y(one.low):.1f}V{y(one.high):.1f}"/>')
            parts.append(f'<circle class="{kind}-dot" cx="{at:.1f}" cy="{y(one.middle):.1f}" r="3.5"/>')
    legend = left
    for (name, _), kind in zip(series, ("first", "second"), strict=False):
        parts.append(f'<circle class="{kind}-dot" cx="{legend + 4}" cy="{bottom + 38}" r="4"/>')
        parts.append(text(legend + 14, bottom + 42, name, "soft"))
        legend += 30 + 7 * len(name)
    return "".join(parts), bottom + 46


def ceiling(value):
    """The next round number (1, 2, 4, 5 or 8 and zeros) that is not below ``value``."""
    power = 10 ** floor(log10(value))
    return next(step * power for step in (1, 2, 4, 5, 8, 10) if step * power >= value)


def heading(title, note):
    return [text(0, 14, title, "title"), text(0, 33, note, "soft")], 44


def text(x, y, words, kind="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'

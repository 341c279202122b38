"""Pictures of how cost grows: small, and readable on a light page as on a dark one.

The background is left to the page, so lines and letters have a middle tone. The text stays text,
and nothing depends on the time or the machine of the drawing: equal figures are equal files.
"""

import re
from collections.abc import Sequence
from io import StringIO
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

INK, TIME, MEMORY = "#7f8791", "#2f81f7", "#d1701d"
STYLE: Any = {  # Any: matplotlib has a type for every key
    "svg.fonttype": "none",
    "svg.hashsalt": "softlens",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "axes.facecolor": "none",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": INK,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.5,
}


class Point(NamedTuple):
    """What one size costs."""

    x: float
    seconds: float
    mib: float  # resident memory


class Labels(NamedTuple):
    """What is drawn."""

    x: str
    seconds: str


def drawn(points: Sequence[Point], labels: Labels) -> str:
    """An SVG of two panels, time and memory over the size, both axes logarithmic."""
    with mpl.rc_context(STYLE):
        file = StringIO()
        figure = figure_of(points, labels)
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return _tidied(file.getvalue())


def figure_of(points: Sequence[Point], labels: Labels) -> Figure:
    """The same before it is written."""
    figure = Figure(figsize=(7.2, 2.5), layout="constrained")
    time, memory = figure.subplots(1, 2)
    x = [point.x for point in points]
    _panel(time, x, [point.seconds for point in points], TIME)
    _panel(memory, x, [point.mib for point in points], MEMORY)
    time.set_title(labels.seconds, fontsize=9, loc="left")
    memory.set_title("resident memory", fontsize=9, loc="left")
    time.yaxis.set_major_formatter(FuncFormatter(_duration))
    memory.yaxis.set_major_formatter(FuncFormatter(_size))
    for axes in (time, memory):
        axes.set_xlabel(labels.x)
        axes.xaxis.set_major_formatter(FuncFormatter(_count))
    return figure


def _panel(axes: Axes, x: Sequence[float], y: Sequence[float], colour: str) -> None:
    axes.loglog(x, y, color=colour, linewidth=1.6, marker="o", markersize=3.5)
    axes.set_ylim(10 ** _floor(min(y)), 10 ** (_floor(max(y) * 0.999) + 1))
    if max(y) > 3 * min(y):  # where cost follows the size, it runs along this in the end
        last = [x[-1] * y_value / y[-1] for y_value in (y[0], y[-1])]
        axes.loglog(last, (y[0], y[-1]), color=INK, linewidth=0.8, linestyle=(0, (3, 3)), zorder=1)
    axes.set_xlim(x[0] / 1.3, x[-1] * 1.3)
    axes.minorticks_off()


def _floor(value: float) -> int:
    """The power of ten at or below it."""
    return int(f"{value:e}".partition("e")[2])


def _duration(seconds: float, _position: int) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds / 1e-6:,.0f} us"


def _size(mib: float, _position: int) -> str:
    return f"{mib / 1024:,.0f} GiB" if mib >= 10_000 else f"{mib:,.0f} MiB"


def _count(value: float, _position: int) -> str:
    return f"{value:,.0f}" if value < 1e6 else f"{value / 1e6:,.0f}M"


def _tidied(svg: str) -> str:
    """Without the blanks at the ends of lines, and without what only matplotlib reads."""
    svg = re.sub(r" *<metadata>.*?</metadata>\n", "", svg, flags=re.DOTALL)
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)

"""A figure of a report: SVG, PNG and the plotted numbers as CSV, in one house style.

matplotlib is imported in this file only, and only when a figure is drawn. A figure is drawn on its own canvas, without
`pyplot`, so that no global setting changes. The same data give the same SVG, byte for byte. The colours are those of
Okabe and Ito, which readers with any common form of colour blindness can tell apart; series also differ in their
markers and dashes.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from catallax.lab.table import check_file_name

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure
    import numpy
    import pandas

ONE_COLUMN = (3.5, 2.6)
"""Width and height of a one-column figure, in inches."""

TWO_COLUMNS = (7.2, 3.2)
"""Width and height of a figure across two columns, in inches."""

COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Black, blue, vermilion, green, purple, orange, sky blue (Okabe and Ito), in the order of the series."""

_DASHES = (
    "-",
    (0, (5, 1.5)),
    (0, (1, 1)),
    (0, (5, 1, 1, 1)),
    (0, (3, 1, 1, 1, 1, 1)),
    (0, (8, 2)),
    (0, (2, 2)),
)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")

BIDS = {"color": COLOURS[2], "marker": "^", "linestyle": "none", "label": "bids"}
"""Style of bids: red upward triangles."""

ASKS = {"color": COLOURS[1], "marker": "v", "linestyle": "none", "label": "asks"}
"""Style of asks: blue downward triangles."""

PRICES = {"color": COLOURS[0], "marker": "o", "linestyle": "none", "label": "prices"}
"""Style of transaction prices: black discs."""

_STYLE: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",  # matplotlib ships this font, so that letters are the same on every machine
    "font.size": 8,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "savefig.dpi": 200,
    "svg.fonttype": "path",
    "svg.hashsalt": "catallax",  # element identifiers without randomness
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
}


class Drawing(NamedTuple):
    """The contents of the three files of a figure."""

    svg: bytes
    png: bytes
    csv: bytes


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A named figure.

    Attributes:
        name: File name without ending: lower-case letters, digits, "_" and "-".
        draw: A function that draws on an empty matplotlib figure; it is called under the house style. It is a named
            function of a module or a closure over plain data, and does not use `pyplot`.
        data: The plotted numbers, one row a point.
        caption: What is shown, with units, replications and what an interval is.
        size: Width and height in inches.
    """

    name: str
    draw: Callable[["matplotlib.figure.Figure"], None]
    data: "pandas.DataFrame"
    caption: str
    size: tuple[float, float] = ONE_COLUMN

    def __post_init__(self):
        """Refuse a name that cannot be a file name on every system."""
        check_file_name("figure", self.name)

    def render(self) -> Drawing:
        """Draw the figure once and return the bytes of its SVG, PNG and CSV files."""
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure as Sheet

        with matplotlib.rc_context(fname=None):
            matplotlib.rcdefaults()  # a user's matplotlibrc must not change a published figure
            style: Any = _STYLE | {"axes.prop_cycle": _cycle()}
            matplotlib.rcParams.update(style)
            sheet = Sheet(figsize=self.size)
            FigureCanvasAgg(sheet)
            self.draw(sheet)
            svg, png = io.BytesIO(), io.BytesIO()
            sheet.savefig(svg, format="svg", metadata={"Date": None, "Creator": None, "Title": self.caption})
            sheet.savefig(png, format="png", metadata={"Software": None, "Title": self.caption})
        table = str(self.data.to_csv(index=False, lineterminator="\n"))
        return Drawing(svg.getvalue(), png.getvalue(), table.encode())


def series_style(index: int) -> dict[str, Any]:
    """Colour, dashes and marker of the `index`-th series, as keyword arguments of `axes.plot`.

    Args:
        index: Number of the series, from 0; the first seven differ in all three.
    """
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": _DASHES[index % len(_DASHES)],
        "marker": _MARKERS[index % len(_MARKERS)],
        "markevery": (0.03 * index, 0.15),  # in shares of the axes' diagonal; the marks of two series do not coincide
    }


def plot_with_interval(
    axes: "matplotlib.axes.Axes",
    x: "numpy.ndarray",
    mean: "numpy.ndarray",
    low: "numpy.ndarray | None",
    high: "numpy.ndarray | None",
    *,
    index: int,
    label: str,
) -> None:
    """Draw a curve and, where there is one, its interval as a band.

    Args:
        axes: Where to draw.
        x: Abscissa, shape [n].
        mean: Curve, shape [n].
        low: Lower end of the interval, shape [n]; None below ten replications.
        high: Upper end of the interval, shape [n]; None when `low` is.
        index: Number of the series; see `series_style`.
        label: Name in the legend.
    """
    style = series_style(index)
    axes.plot(x, mean, label=label, **style)
    if low is not None and high is not None:
        axes.fill_between(x, low, high, color=style["color"], alpha=0.18, linewidth=0)


def state_sample(sheet: "matplotlib.figure.Figure", replications: int, interval: str | None) -> None:
    """Write under a figure how many replications it shows and what its intervals are.

    Args:
        sheet: The figure.
        replications: Number of replications.
        interval: "95% t interval"; None where there is none.
    """
    bands = f"bands: {interval}" if interval else "no intervals"
    sheet.supxlabel(f"{replications} replications; {bands}", fontsize=6, color="#555555", x=0.99, ha="right")


def _cycle():
    """The cycle of styles for lines that are drawn without a style."""
    from cycler import cycler

    return cycler(color=COLOURS) + cycler(linestyle=_DASHES)

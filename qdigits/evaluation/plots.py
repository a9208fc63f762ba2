"""Draw a training and a test with matplotlib; nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")  # files only: needs no screen
import matplotlib.pyplot as plt
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, PercentFormatter

from qdigits.evaluation.history import History
from qdigits.evaluation.report import Report
from qdigits.files import new_folder, write_atomically

INK = "#1f2933"
ACCENT = "#d1495b"
SOFT = "#8d99ae"
STYLE: Any = {
    "figure.dpi": 150,
    "figure.facecolor": "white",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "svg.hashsalt": "qdigits",
}
TILES_PER_ROW = 10


def draw_curves(history: History) -> Any:
    """Draw loss and error by epoch, of training and of held-out writers; mark the best epoch."""
    figure, (loss_axes, error_axes) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    epochs = [row["epoch"] for row in history]
    for part, color in (("train", SOFT), ("validation", ACCENT)):
        losses = [row[f"{part}_loss"] for row in history]
        errors = [1 - row[f"{part}_accuracy"] for row in history]
        loss_axes.plot(epochs, losses, color=color, label=part)
        error_axes.plot(epochs, errors, color=color, label=part)
    _mark_best(error_axes, history)
    _label_curves(loss_axes, "Loss", "{x:g}")
    _label_curves(error_axes, "Wrong answers", PercentFormatter(1))
    loss_axes.legend()
    return figure


def _mark_best(axes: Any, history: History) -> None:
    best = history.best()
    point = (best["epoch"], 1 - best["validation_accuracy"])
    axes.plot(*point, "o", color=ACCENT)
    text = f"{point[1]:.2%}"
    axes.annotate(text, point, xytext=(0, 8), textcoords="offset points", ha="center")


def _label_curves(axes: Any, title: str, formatter: Any) -> None:
    axes.set(title=title, xlabel="epoch", yscale="log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(formatter)
    axes.yaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def draw_confusion(report: Report) -> Any:
    """Draw which digit is taken for which, in shares of a row.

    Only mistakes are coloured: right answers would outshine them.
    """
    counts = np.array(report.confusion)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    mistakes = np.where(np.eye(10, dtype=bool), 0, shares)
    figure, axes = plt.subplots(figsize=(5, 5), layout="constrained")
    axes.imshow(mistakes, cmap="Reds", vmin=0, vmax=max(1.6 * mistakes.max(), 1e-9))
    for (row, column), count in np.ndenumerate(counts):
        if count:
            weight = "bold" if row == column else "normal"
            axes.text(column, row, f"{count:,}", ha="center", va="center", weight=weight, size=8)
    axes.set(title=f"{report.all.count - report.all.right} of {report.all.count:,} wrong")
    axes.set(xlabel="read as", ylabel="written", xticks=range(10), yticks=range(10))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure


def draw_reliability(report: Report) -> Any:
    """Draw confidence against accuracy, in bins that hold equally many answers."""
    claimed, true = np.array(report.reliability).T
    figure, axes = plt.subplots(figsize=(4, 4), layout="constrained")
    lowest = min(claimed.min(), true.min()) - 0.01
    axes.plot([lowest, 1], [lowest, 1], color=SOFT, lw=1, ls="--")
    axes.plot(claimed, true, "o-", color=ACCENT, ms=4)
    axes.set(title=f"Calibration error {report.ece:.2%}", aspect="equal")
    axes.set(xlabel="confidence", ylabel="share right")
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    return figure


def draw_mistakes(report: Report) -> Any:
    """Draw the most confident mistakes as the network saw them."""
    rows = max(1, -(-len(report.mistakes) // TILES_PER_ROW))
    size = (8, 1.1 * rows)
    figure, grid = plt.subplots(
        rows, TILES_PER_ROW, figsize=size, layout="constrained", squeeze=False
    )
    for axes in grid.flat:
        axes.set_axis_off()
    if not report.mistakes:
        figure.text(0.5, 0.5, "no mistakes", ha="center")
    for axes, mistake in zip(grid.flat, report.mistakes, strict=False):
        axes.imshow(255 - mistake.pixels, cmap="gray", vmin=0, vmax=255)
        title = f"{mistake.label} read as {mistake.digit}\n{mistake.confidence:.0%} sure"
        axes.set_title(title, size=6, weight="normal", loc="center", pad=3)
    return figure


FIGURES: dict[str, Callable[[Report], Any]] = {
    "confusion.png": draw_confusion,
    "reliability.png": draw_reliability,
    "mistakes.png": draw_mistakes,
}


def save_report(report: Report, folder: Path) -> None:
    """Write report.json and its pictures into a folder.

    Raises:
        QDigitsError: A file cannot be written; the message names it and the cause.
    """
    report.save(new_folder(folder) / "report.json")
    for name, draw in FIGURES.items():
        _save(draw, report, folder / name)


def save_curves(history: History, folder: Path) -> None:
    """Write curves.png into a folder.

    Raises:
        QDigitsError: The file cannot be written.
    """
    _save(draw_curves, history, folder / "curves.png")


def _save(draw: Callable[[Any], Any], subject: Any, path: Path) -> None:
    file = BytesIO()
    with plt.rc_context(STYLE):
        figure = draw(subject)
        figure.savefig(file)
        plt.close(figure)
    write_atomically(path, file.getvalue())

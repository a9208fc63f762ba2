"""Figures of a training and of a test: the only code that draws with matplotlib."""

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

INK, ACCENT, SOFT = "#1f2933", "#d1495b", "#8d99ae"
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
PER_ROW = 10  # of the gallery


def curves(history: History) -> Any:
    """Loss and error by epoch, training against held-out writers; the kept epoch marked."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    epochs, best = [row["epoch"] for row in history], history.best()
    for part, color in (("train", SOFT), ("validation", ACCENT)):
        left.plot(epochs, [row[f"{part}_loss"] for row in history], color=color, label=part)
        right.plot(
            epochs, [1 - row[f"{part}_accuracy"] for row in history], color=color, label=part
        )
    wrong = 1 - best["validation_accuracy"]
    right.plot(best["epoch"], wrong, "o", color=ACCENT)
    right.annotate(
        f"{wrong:.2%}",
        (best["epoch"], wrong),
        xytext=(0, 8),
        textcoords="offset points",
        ha="center",
    )
    for axes, title, formatter in (
        (left, "Loss", "{x:g}"),
        (right, "Wrong answers", PercentFormatter(1)),
    ):
        axes.set(title=title, xlabel="epoch", yscale="log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(formatter)
        axes.yaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.legend()
    return figure


def confusion(report: Report) -> Any:
    """Which digit is taken for which: shares of a row; only mistakes are coloured, or nothing else would be seen."""
    counts = np.array(report.confusion)
    mistakes = np.where(
        np.eye(10, dtype=bool), 0, counts / np.maximum(counts.sum(1, keepdims=True), 1)
    )
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


def reliability(report: Report) -> Any:
    """What the model claims against what is true, by bins that hold equally many answers."""
    claimed, true = np.array(report.reliability).T
    figure, axes = plt.subplots(figsize=(4, 4), layout="constrained")
    low = min(claimed.min(), true.min()) - 0.01
    axes.plot([low, 1], [low, 1], color=SOFT, lw=1, ls="--")
    axes.plot(claimed, true, "o-", color=ACCENT, ms=4)
    axes.set(
        title=f"Calibration error {report.ece:.2%}",
        xlabel="confidence",
        ylabel="share right",
        aspect="equal",
    )
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    return figure


def mistakes(report: Report) -> Any:
    """The most confident mistakes as the network saw them: what was written, what was read, how surely."""
    shown = report.mistakes
    rows = max(1, -(-len(shown) // PER_ROW))
    figure, grid = plt.subplots(
        rows, PER_ROW, figsize=(8, 1.1 * rows), layout="constrained", squeeze=False
    )
    for axes in grid.flat:
        axes.set_axis_off()
    if not shown:
        figure.text(0.5, 0.5, "no mistakes", ha="center")
    for axes, mistake in zip(grid.flat, shown, strict=False):
        axes.imshow(255 - mistake.pixels, cmap="gray", vmin=0, vmax=255)
        title = f"{mistake.label} read as {mistake.digit}\n{mistake.confidence:.0%} sure"
        axes.set_title(title, size=6, weight="normal", loc="center", pad=3)
    return figure


FIGURES: dict[str, Callable[[Report], Any]] = {
    "confusion.png": confusion,
    "reliability.png": reliability,
    "mistakes.png": mistakes,
}


def save_report(report: Report, folder: Path) -> None:
    """report.json and its pictures. Raises QDigitsError naming path and cause."""
    report.save(new_folder(folder) / "report.json")
    for name, draw in FIGURES.items():
        _save(draw, report, folder / name)


def save_curves(history: History, folder: Path) -> None:
    _save(curves, history, folder / "curves.png")


def _save(draw: Callable[[Any], Any], subject: Any, path: Path) -> None:
    with plt.rc_context(STYLE):
        figure, file = draw(subject), BytesIO()
        figure.savefig(file)
        plt.close(figure)
    write_atomically(path, file.getvalue())

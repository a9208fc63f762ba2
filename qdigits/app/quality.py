"""The tab "How good is it?": what `qdigits evaluate` measured."""

import altair as alt
import pandas as pd
import streamlit as st

from qdigits.app.explain import data_url, png
from qdigits.app.formatting import percent
from qdigits.app.session import OpenModel
from qdigits.evaluation.report import Report
from qdigits.files import ROOT

REPORTS = [ROOT.parent / "docs/results", ROOT / "docs/results"]  # a clone, an installed package


@st.fragment
def show(models: dict[str, OpenModel]) -> None:
    """Show the tab."""
    files = [path for folder in REPORTS for path in folder.glob("mnist_*/report.json")]
    reports = {path.parent.name: Report.load(path) for path in sorted(files, reverse=True)}
    if reports:
        first = next(iter(reports))
        name = st.segmented_control("Model", list(reports), default=first, required=True)
        show_report(reports[name])
    else:
        st.write(
            "No reports here yet: `qdigits evaluate mnist_model.pth"
            " --out docs/results/mnist_model` writes one."
        )
    for name, (model, _) in models.items():
        with st.expander(f"Model card of {name}"):
            st.json(model.card)


def show_report(report: Report) -> None:
    """Show one report: figures, two charts, the worst mistakes."""
    metrics_cards(report)
    left, right = st.columns(2, gap="large")
    with left:
        confusion = confusion_chart(report)
        st.altair_chart(confusion, height=340, alt="How often each digit was taken for each other")
    with right:
        reliability = reliability_chart(report)
        words = "The share of right answers at each confidence"
        st.altair_chart(reliability, height=340, alt=words)
    st.markdown("**Its most confident mistakes**")
    with st.container(horizontal=True):
        for mistake in report.mistakes[:24]:
            words = f"{mistake.label} read as {mistake.digit}"
            st.image(data_url(png(mistake.pixels)), words, width=84, alt=words)


def metrics_cards(report: Report) -> None:
    """Show the three figures that matter."""
    low, high = report.all.interval
    answered = report.accepted.count / report.all.count
    cards = {
        f"Right of {report.all.count:,}": (
            report.all.share,
            f"95 % interval {percent(low)} to {percent(high)}",
        ),
        "Right when sure": (report.accepted.share, f"sure of {percent(answered)} of them"),
        "Confidence off by": (report.ece, "on average, over 15 equal groups"),
    }
    for column, (label, (share, more)) in zip(st.columns(3), cards.items(), strict=True):
        column.metric(label, percent(share))
        column.caption(more)


def confusion_chart(report: Report) -> alt.Chart:
    """Draw how often each digit was taken for each other."""
    rows = []
    for truth, row in enumerate(report.confusion):
        rows += [(truth, answer, times) for answer, times in enumerate(row) if answer != truth]
    table = pd.DataFrame(rows, columns=["written", "read as", "times"])
    return (
        alt.Chart(table, title="What was taken for what")
        .mark_rect()
        .encode(
            alt.X("read as:O", axis=alt.Axis(labelAngle=0)),
            alt.Y("written:O"),
            alt.Color("times", legend=None, scale=alt.Scale(range=["#14b8a60d", "#14b8a6"])),
            tooltip=["written", "read as", "times"],
        )
    )


def reliability_chart(report: Report) -> alt.LayerChart:
    """Draw the share of right answers at each confidence."""
    table = pd.DataFrame(report.reliability, columns=["confidence", "right"])
    scale, axis = alt.Scale(zero=False), alt.Axis(format="%", tickCount=5)
    chart = alt.Chart(table, title="Right as often as it says?")
    chart = chart.encode(alt.X("confidence", scale=scale, axis=axis))
    tooltip = [alt.Tooltip(name, format=".1%") for name in ("confidence", "right")]
    right = alt.Y("right", title="right", scale=scale, axis=axis)
    measured = chart.mark_line(point=True).encode(right, tooltip=tooltip)
    ideal = chart.mark_line(strokeDash=[4, 4], color="gray")
    return measured + ideal.encode(alt.Y("confidence", title="right"))

"""The tab "How good is it?": what `qdigits evaluate` measured."""

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from qdigits.app.charts import percent_axis, readable
from qdigits.app.explain import data_url, png
from qdigits.app.formatting import errors_of_10_000, percent
from qdigits.app.learn import HONESTY, show_chapter_link
from qdigits.app.model_picker import bundled_models, title_of
from qdigits.app.session import OpenModel
from qdigits.evaluation.report import Report
from qdigits.files import ROOT

REPORTS = [ROOT.parent / "docs/results", ROOT / "docs/results"]  # a clone, an installed package


@st.fragment
def show(models: dict[str, OpenModel]) -> None:
    """Show the tab: it speaks of the models that answer."""
    for name, opened in models.items():
        st.subheader(title_of(name))
        report = report_of(name)
        if report:
            show_report(report)
        else:
            st.write(
                "This model is not measured yet. `qdigits evaluate FILE` measures one on"
                " test digits, from writers that it never saw."
            )
        with st.expander("Where it comes from"):
            st.table(card_rows(opened.model.card))
    show_chapter_link(HONESTY, "quality")


def report_of(name: str) -> Report | None:
    """Return what was measured of a bundled model; None of any other."""
    if name not in bundled_models():
        return None
    files = [folder / name / "report.json" for folder in REPORTS]
    return next((Report.load(file) for file in files if file.exists()), None)


def card_rows(card: dict[str, Any]) -> dict[str, str]:
    """Write the card of a model as a small table, without the folders of where it was trained."""
    recipe = card.get("recipe", {})
    if not isinstance(recipe, dict):
        return {"Recipe": str(recipe)}
    metrics, versions = card.get("metrics", {}), card.get("versions", {})
    rows = {
        "Network": recipe.get("model"),
        "Learnt from": recipe.get("data"),
        "Epochs": recipe.get("epochs"),
        "Optimizer": recipe.get("optimizer"),
        "Learning rate": recipe.get("lr"),
        "Seed": recipe.get("seed"),
        "PyTorch": versions.get("torch"),
        "Commit": card.get("commit"),
        "Fine-tuned": card.get("finetuned"),
    }
    if "validation_accuracy" in metrics:
        rows["Right on held-out writers"] = percent(metrics["validation_accuracy"])
    return {name: str(value) for name, value in rows.items() if value is not None}


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
    interval = f"95 % interval {percent(low)} to {percent(high)}"
    wrong = errors_of_10_000(report.all.share)
    cards = {
        f"Right of {report.all.count:,}": (report.all.share, f"{wrong}; {interval}"),
        "Right when sure": (report.accepted.share, f"sure of {percent(answered)} of them"),
        "Confidence off by": (report.ece, "on average, over 15 groups of the same size"),
    }
    for column, (label, (share, more)) in zip(st.columns(3), cards.items(), strict=True):
        column.metric(label, percent(share))
        column.caption(more)


def confusion_chart(report: Report) -> alt.Chart | alt.LayerChart:
    """Draw how often each digit was taken for each other."""
    rows = []
    for truth, row in enumerate(report.confusion):
        rows += [(truth, answer, times) for answer, times in enumerate(row) if answer != truth]
    table = pd.DataFrame(rows, columns=["written", "read as", "times"])
    return readable(
        alt.Chart(table, title="What was taken for what")
        .mark_rect()
        .encode(
            alt.X("read as:O", axis=alt.Axis(labelAngle=0)),
            alt.Y("written:O"),
            alt.Color("times", legend=None, scale=alt.Scale(range=["#14b8a60d", "#14b8a6"])),
            tooltip=["written", "read as", "times"],
        )
    )


def reliability_chart(report: Report) -> alt.Chart | alt.LayerChart:
    """Draw the share of right answers at each confidence."""
    table = pd.DataFrame(report.reliability, columns=["confidence", "right"])
    scale = alt.Scale(zero=False)
    axis = percent_axis(tickCount=5)
    chart = alt.Chart(table, title="Right as often as it says?")
    chart = chart.encode(alt.X("confidence", scale=scale, axis=axis))
    tooltip = [alt.Tooltip(name, format=".1%") for name in ("confidence", "right")]
    right = alt.Y("right", title="right", scale=scale, axis=axis)
    measured = chart.mark_line(point=True).encode(right, tooltip=tooltip)
    ideal = chart.mark_line(strokeDash=[4, 4], color="gray")
    return readable(measured + ideal.encode(alt.Y("confidence", title="right")))

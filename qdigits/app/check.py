"""The page's quieter half: checking answers, teaching a hand, and how good the models were measured to be."""

from typing import Any
from uuid import uuid4

import altair as alt
import pandas as pd
import streamlit as st

from qdigits.app.explain import labelled_folder, png, url
from qdigits.errors import QDigitsError
from qdigits.evaluation.evaluate import Report
from qdigits.files import ROOT
from qdigits.training.finetune import MIN_DIGITS, FinetuneResult, finetune

REPORTS = [ROOT.parent / "docs/results", ROOT / "docs/results"]  # a clone, an installed package
MINE, NO_DIGIT = "my handwriting", "none"
COLUMNS = {
    "picture": st.column_config.ImageColumn("Picture", width="small"),
    "read": st.column_config.TextColumn("Read as", width="small"),
    "true": st.column_config.SelectboxColumn(
        "Really", options=[*"0123456789", NO_DIGIT], required=True, width="small"
    ),
    "sure": st.column_config.NumberColumn("Sure", format="percent", width="small"),
    "from": st.column_config.TextColumn("From"),
}


def kept() -> list[dict]:
    """The digits this visitor keeps for checking; they last as long as the visit."""
    return st.session_state.setdefault("kept", [])


def percent(share: float) -> str:
    return "over 99.9\u00a0%" if 1 > share > 0.999 else f"{share:.1%}".replace("%", "\u00a0%")


@st.fragment
def check(models: dict) -> None:
    """The kept digits as a table to correct, to take away, and to teach from."""
    if not kept():
        st.subheader("Nothing to check yet")
        st.write(
            "Draw or photograph digits and press *Keep for checking*. They gather here; you say what is right."
        )
        return teach([], None)
    said, table = st.empty(), pd.DataFrame(kept())
    table["picture"] = [url(png(tile)) for tile in table.pop("tile")]
    edited = st.data_editor(
        table,
        hide_index=True,
        key=f"table {st.session_state.get('forgotten', 0)}",
        row_height=44,
        disabled=[name for name in COLUMNS if name != "true"],
        column_config=COLUMNS,
        column_order=list(COLUMNS),
    )
    for row, true in zip(kept(), edited["true"], strict=True):
        row["true"] = true
    right = sum(row["read"] == row["true"] for row in kept())
    said.write(
        f"**{right} of {len(kept())} right.** Where one is wrong, say under *Really* what it is."
    )
    digits = [(row["tile"], int(row["true"])) for row in kept() if row["true"] != NO_DIGIT]
    csv = edited.drop(columns="picture").to_csv(index=False)
    with st.container(horizontal=True):
        st.download_button("Table (CSV)", csv, "digits.csv", "text/csv", on_click="ignore")
        st.download_button(
            "Labelled folder (zip)", labelled_folder(digits), "digits.zip", on_click="ignore"
        )
        if st.button("Forget all"):
            kept().clear()
            st.session_state.forgotten = (
                st.session_state.get("forgotten", 0) + 1
            )  # a fresh table, without old edits
            st.rerun()
    teach(digits, next((model for model, _ in models.values()), None))


def teach(digits: list[tuple[Any, int]], model: Any) -> None:
    st.subheader("Teach it your handwriting")
    st.write(
        "A copy of the model learns your hand in seconds; a third of your digits is kept aside, to measure it on."
    )
    if len(digits) < MIN_DIGITS:
        st.progress(
            len(digits) / MIN_DIGITS,
            f"{len(digits)} of {MIN_DIGITS} digits kept; {MIN_DIGITS} are enough to learn from.",
        )
    elif model and st.button(f"Learn from these {len(digits)} digits", type="primary"):
        try:
            with st.spinner("Learning …", show_time=True):
                learnt = finetune(
                    model, [tile for tile, _ in digits], [label for _, label in digits]
                )
            st.session_state.learnt, st.session_state.mine = (
                learnt,
                (learnt.model, (MINE, uuid4().hex)),
            )
            st.rerun()
        except QDigitsError as error:
            st.error(str(error))
    if "learnt" in st.session_state:
        outcome(st.session_state.learnt)


def outcome(learnt: FinetuneResult) -> None:
    rates = {
        "Your digits, those it did not learn from": (learnt.before, learnt.after),
        "Other people's digits, from MNIST": (learnt.others_before, learnt.others_after),
    }
    for column, (label, (before, after)) in zip(
        st.columns(2, gap="large"), rates.items(), strict=True
    ):
        column.metric(label, f"{after.right} of {after.count} right")
        column.caption(f"before: {before.right} of {before.count}")
    row = st.container(horizontal=True)
    row.download_button("Model (.pth)", learnt.file(), "my_handwriting.pth", on_click="ignore")
    if row.button("Compare with the old one", on_click=lambda: st.session_state.update(other=MINE)):
        st.rerun()  # all of the page, not this part alone


@st.fragment
def quality(models: dict) -> None:
    """What `qdigits evaluate` measured, from the reports that it wrote."""
    files = [path for folder in REPORTS for path in folder.glob("mnist_*/report.json")]
    found = {path.parent.name: Report.load(path) for path in sorted(files, reverse=True)}
    if found:
        figures(
            found[
                st.segmented_control("Model", list(found), default=next(iter(found)), required=True)
            ]
        )
    else:
        st.write(
            "No reports here yet: `qdigits evaluate mnist_model.pth --out docs/results/mnist_model` writes one."
        )
    for name, (model, _) in models.items():
        with st.expander(f"Model card of {name}"):
            st.json(model.card)


def figures(report: Report) -> None:
    low, high = report.all.interval
    answered = report.accepted.count / report.all.count
    numbers = {
        f"Right of {report.all.count:,}": (
            report.all.share,
            f"95 % interval {percent(low)} to {percent(high)}",
        ),
        "Right when sure": (report.accepted.share, f"sure of {percent(answered)} of them"),
        "Confidence off by": (report.ece, "on average, over 15 equal groups"),
    }
    for column, (label, (share, more)) in zip(st.columns(3), numbers.items(), strict=True):
        column.metric(label, percent(share))
        column.caption(more)
    left, right = st.columns(2, gap="large")
    left.altair_chart(
        confusion(report), height=340, alt="How often each digit was taken for each other"
    )
    right.altair_chart(
        reliability(report), height=340, alt="The share of right answers at each confidence"
    )
    st.markdown("**Its most confident mistakes**")
    with st.container(horizontal=True):
        for mistake in report.mistakes[:24]:
            words = f"{mistake.label} read as {mistake.digit}"
            st.image(url(png(mistake.pixels)), words, width=84, alt=words)


def confusion(report: Report) -> alt.Chart:
    table = pd.DataFrame(
        [
            (true, said, n)
            for true, row in enumerate(report.confusion)
            for said, n in enumerate(row)
            if true != said
        ],
        columns=["written", "read as", "times"],
    )
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


def reliability(report: Report) -> alt.LayerChart:
    table = pd.DataFrame(report.reliability, columns=["confidence", "right"])
    scale, form = alt.Scale(zero=False), alt.Axis(format="%", tickCount=5)
    line = alt.Chart(table, title="Right as often as it says?").encode(
        alt.X("confidence", scale=scale, axis=form)
    )
    told = line.mark_line(point=True).encode(
        alt.Y("right", title="right", scale=scale, axis=form),
        tooltip=[alt.Tooltip("confidence", format=".1%"), alt.Tooltip("right", format=".1%")],
    )
    return told + line.mark_line(strokeDash=[4, 4], color="gray").encode(
        alt.Y("confidence", title="right")
    )

"""The tab Train: the original network learns from the bundled sample while you watch."""

import time
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import uuid4

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from qdigits.app.charts import percent_axis, readable
from qdigits.app.explain import data_url, png, weights_picture
from qdigits.app.formatting import percent
from qdigits.app.learn import LOSS, TRAINING, show_chapter_link
from qdigits.app.model_picker import bundled_models, use
from qdigits.app.session import OpenModel, own_models
from qdigits.data.sample import load_sample
from qdigits.errors import DataError
from qdigits.models.numpy_mlp import NumpyMLP

TRAINED = "trained here"  # what the trained network is called among the models
EPOCHS = 15  # the classic run
BATCH_SIZE = 32
HELD_OUT = 5  # every fifth digit is kept aside, to measure on
SLICE = 0.5  # seconds of training between two pictures
PAUSE = 0.6  # seconds from one picture to the next
UNITS = 14  # shown of the first layer
MISTAKES = 10  # shown of the digits that go wrong
RATES = [0.001, 0.01, 0.03, 0.1, 0.3, 1.0]
SIZES = [8, 16, 32, 64, 128, 256]


class EpochResult(NamedTuple):
    """What was measured after one epoch."""

    epoch: int
    loss: float
    right: float  # share of the held-out digits


class Mistake(NamedTuple):
    """A held-out digit that the network reads wrong."""

    tile: np.ndarray  # uint8 (28, 28)
    label: int
    answer: int


@dataclass
class Training:
    """One run: the network, how far it is, and what was measured after each epoch."""

    lr: float
    hidden: tuple[int, int]
    running: bool = False
    step: int = 0
    losses: list[float] = field(default_factory=list)  # of the epoch that runs
    history: list[EpochResult] = field(default_factory=list)
    id: str = field(default_factory=lambda: uuid4().hex)

    def __post_init__(self) -> None:
        self.model = NumpyMLP(self.hidden)
        self.untrained = NumpyMLP(self.hidden)
        images, labels = load_sample()
        aside = np.arange(len(labels)) % HELD_OUT == 0
        self.train = images[~aside], labels[~aside]
        self.held_out = images[aside], labels[aside]
        self.accuracy_before = self.accuracy()

    @property
    def steps_per_epoch(self) -> int:
        """How many batches the training digits make."""
        return len(self.train[1]) // BATCH_SIZE

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return self.step // self.steps_per_epoch

    def advance(self, seconds: float) -> None:
        """Train for some time, at most to the end of the last epoch."""
        images, labels = self.train
        end = time.monotonic() + seconds
        while self.epoch < EPOCHS and time.monotonic() < end:
            place = self.step % self.steps_per_epoch
            order = np.random.default_rng(self.epoch).permutation(len(labels))
            batch = order[place * BATCH_SIZE : (place + 1) * BATCH_SIZE]
            ink = images[batch].astype(np.float32) / 255
            self.losses.append(self.model.train_step(ink, labels[batch], self.lr))
            self.step += 1
            if self.step % self.steps_per_epoch == 0:
                loss = float(np.mean(self.losses))
                self.history.append(EpochResult(self.epoch, loss, self.accuracy()))
                self.losses.clear()
        self.running = self.running and self.epoch < EPOCHS

    def accuracy(self) -> float:
        """Return the share of held-out digits that the network reads right."""
        images, labels = self.held_out
        answers = self.model.probabilities(images).argmax(1)
        return float((answers == labels).mean())

    def worst_mistakes(self) -> list[Mistake]:
        """Return held-out digits that it reads wrong, the surest first."""
        images, labels = self.held_out
        chances = self.model.probabilities(images)
        answers = chances.argmax(1)
        wrong = np.flatnonzero(answers != labels)
        confidence = chances[wrong].max(1)
        surest_first = np.argsort(-confidence, kind="stable")
        worst = wrong[surest_first][:MISTAKES]
        return [Mistake(images[i], int(labels[i]), int(answers[i])) for i in worst]


def show(models: dict[str, OpenModel]) -> None:
    """Show the tab; while a network learns, it is drawn again and again."""
    training = st.session_state.get("training")
    running = training is not None and training.running
    st.fragment(show_training, run_every=PAUSE if running else None)()
    with st.container(horizontal=True):
        show_chapter_link(LOSS, "train")
        show_chapter_link(TRAINING, "train")


def show_training() -> None:
    """Show the run that is there, and take it a little further."""
    try:
        images, _ = load_sample()
    except DataError as error:
        st.write(f"There is nothing to learn from: {error}.")
        return
    st.write(
        f"The network of every first course, 784-128-64-10, learns {len(images):,} digits of MNIST"
        " in your sight. A fifth of them is kept aside, to measure it on."
    )
    training = show_controls()
    if training is None:
        return
    if training.running:
        training.advance(SLICE)
        if not training.running:
            st.rerun()  # the whole page: nothing is to be drawn again and again any more
    show_progress(training)
    show_weights(training)


def show_controls() -> Training | None:
    """Show what can be chosen and pressed; return the run that is there, if there is one."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        lr = st.select_slider("Learning rate", RATES, value=0.1, key="train lr", width=260)
        first = st.select_slider("First layer", SIZES, value=128, key="train first", width=200)
        second = st.select_slider("Second layer", SIZES, value=64, key="train second", width=200)
    training: Training | None = st.session_state.get("training")
    with st.container(horizontal=True):
        if st.button("Start anew" if training else "Start", type="primary"):
            st.session_state.training = Training(lr, (first, second), running=True)
            st.rerun()
        if training is None:
            return None
        unfinished = training.running or training.epoch < EPOCHS
        if unfinished and st.button("Stop" if training.running else "Go on"):
            training.running = not training.running
            st.rerun()
        if training.step and not training.running:
            if st.button("Use it", on_click=adopt, args=(training,)):
                st.rerun()
            if st.button("Compare it", on_click=adopt, args=(training, True)):
                st.rerun()
    return training


def adopt(training: Training, compare: bool = False) -> None:
    """Put the trained network among the models, and let it answer or be compared."""
    own_models()[TRAINED] = OpenModel(training.model, (TRAINED, training.id, training.step))
    chosen = st.session_state.get("model")
    if compare:
        use(chosen if chosen in bundled_models() else next(iter(bundled_models())), TRAINED)
    else:
        use(TRAINED)


def show_progress(training: Training) -> None:
    """Show loss and accuracy so far."""
    last_result = training.history[-1:]
    accuracy = last_result[0].right if last_result else training.accuracy()
    loss = training.losses[-20:] or [result.loss for result in last_result]
    left, middle, right = st.columns(3)
    left.metric("Epoch", f"{training.epoch} of {EPOCHS}")
    middle.metric("Right of the digits kept aside", percent(accuracy))
    middle.caption(f"before training: {percent(training.accuracy_before)}")
    right.metric("Loss", f"{np.mean(loss):.3f}" if loss else "–")
    table = pd.DataFrame(training.history, columns=EpochResult._fields)
    left, right = st.columns(2, gap="large")
    epochs = alt.Axis(values=list(range(0, EPOCHS + 1, 5)))
    x = alt.X("epoch:Q", axis=epochs, scale=alt.Scale(domain=[0, EPOCHS]))
    axes = {
        "loss": alt.Y("loss:Q", scale=alt.Scale(zero=True)),
        "right": alt.Y("right:Q", axis=percent_axis(tickCount=5), scale=alt.Scale(domain=[0, 1])),
    }
    for column, (name, y) in zip((left, right), axes.items(), strict=True):
        chart = alt.Chart(table).mark_line(point=True).encode(x, y)
        spoken = f"{name} after each epoch: " + ", ".join(f"{row:.3f}" for row in table[name])
        column.altair_chart(readable(chart), height=180, alt=spoken)


def show_weights(training: Training) -> None:
    """Show the first layer before and now, and the worst mistakes."""
    for title, model in (
        ("The first units before training: noise", training.untrained),
        ("The same units now: strokes that they look for", training.model),
    ):
        st.markdown(f"**{title}**")
        with st.container(horizontal=True, gap="xsmall"):
            for number, weights in enumerate(model.layers[0].weights[:UNITS]):
                picture = data_url(png(weights_picture(weights)))
                st.image(picture, width=52, alt=f"Weights of unit {number + 1}")
    mistakes = training.worst_mistakes()
    st.markdown(f"**Its surest mistakes ({len(mistakes)} shown)**")
    with st.container(horizontal=True, gap="xsmall"):
        for tile, label, answer in mistakes:
            words = f"{label} read as {answer}"
            st.image(data_url(png(tile)), words, width=72, alt=words)

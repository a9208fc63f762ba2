"""Faults of the machine around a training: killed, interrupted, run twice, one rank lost."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from qdigits import cli
from qdigits.models.checkpoint import load_model_file, load_state
from qdigits.training import trainer
from qdigits.training.config import TrainConfig
from tests.stress.support import Row, run_in_child

CONFIG = TrainConfig(
    data="sample", epochs=12, batch_size=250, lr=0.05, ema_decay=0.9, schedule="cosine", seed=1
)
RUN_FILES = {
    "best.pth",
    "config.json",
    "last.pth",
    "lock",
    "metrics.jsonl",
    "state.pt",
    "state.pt.prev",
}
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]


def train(run_dir: Path, resume: bool = True, config: TrainConfig = CONFIG) -> None:
    """Train as the library does."""
    trainer.fit(config, run_dir, resume=resume, progress=False)


def list_train_words(run_dir: Path, epochs: int) -> list[str]:
    """Return the words of a training command, the program's name first."""
    words = ["qdigits", "train", "baseline", "--data", "sample", "--epochs", str(epochs)]
    return [*words, "--run-dir", str(run_dir)]


def run_train_command(run_dir: Path, *more: str, epochs: int = 12) -> int:
    """Train as the command does, and return its exit code."""
    _, *words = list_train_words(run_dir, epochs)
    return cli.main([*words, *more])


def read_result(run_dir: Path) -> tuple[list[dict], list[dict]]:
    """Return what must not depend on interruptions: the weights, and the history but its times."""
    weights = []
    for name in ("best.pth", "last.pth"):
        state = load_model_file(run_dir / name).state_dict()
        weights.append({key: value.numpy().tobytes() for key, value in state.items()})
    history = [dict(epoch) for epoch in load_state(run_dir / "state.pt")["history"]]
    for epoch in history:
        del epoch["seconds"]
    return weights, history


def find_damage(run_dir: Path) -> str:
    """Return what is wrong with the files that a kill left behind, or an empty text."""
    try:
        for path in run_dir.glob("*.pth"):
            load_model_file(path)
        if (run_dir / "state.pt").exists():
            load_state(run_dir / "state.pt")
    except Exception as error:
        return str(error)
    return ""


def kills(folder: Path, count: int | None) -> Iterator[Row]:
    """Kill a training at any moment, again and again, until it has ended."""
    draw = random.Random(0)
    wrong: list[str] = []
    killed = 0
    runs = 0
    train(folder / "whole")  # in this process, so that its imports are there for every child
    expected = read_result(folder / "whole")
    began = time.monotonic()
    run_in_child(lambda: train(folder / "again"))
    longest = time.monotonic() - began
    while killed < (count or 100):
        run_dir = folder / f"run{runs}"
        runs += 1
        code = -signal.SIGKILL
        while code == -signal.SIGKILL:
            after = draw.uniform(0, longest / 2)
            ending = run_in_child(lambda run_dir=run_dir: train(run_dir), after)
            code = ending.code
            killed += code == -signal.SIGKILL
            trouble = find_damage(run_dir) or (ending.stderr if code > 0 else "")
            if trouble:
                wrong.append(trouble)
        if code == 0 and read_result(run_dir) != expected:
            wrong.append(f"run {runs} ended with other weights")
        left = {path.name for path in run_dir.iterdir()} - RUN_FILES
        if left:
            wrong.append(f"left behind: {left}")
    result = f"{killed}: files whole each time; {runs} runs resumed to the end, bit-identical"
    yield Row("kill -9 in training", result, wrong)


def signals(folder: Path, count: int | None) -> Iterator[Row]:
    """Interrupt the command with Ctrl-C and with SIGTERM, and go on."""
    draw = random.Random(0)
    wrong: list[str] = []
    slowest = 0.0
    count = count or 10
    run_in_child(lambda: run_train_command(folder / "whole"))
    expected = read_result(folder / "whole")
    for index in range(count):
        number, code = ((signal.SIGINT, 130), (signal.SIGTERM, 143))[index % 2]
        run_dir = folder / f"run{index}"
        after = draw.uniform(0.2, 1.5)
        ending = run_in_child(lambda run_dir=run_dir: run_train_command(run_dir), after, number)
        slowest = max(slowest, ending.seconds)
        is_in_time = ending.seconds <= 5
        if ending.code not in (code, 0) or not is_in_time or "Traceback" in ending.stderr:
            wrong.append(f"signal {number}: {ending}")
        run_in_child(lambda run_dir=run_dir: run_train_command(run_dir, "--resume"))
        if read_result(run_dir) != expected:
            wrong.append(f"run {index} ended with other weights")
    result = f"{count}: exit 130 and 143, slowest {slowest:.1f} s, resumed bit-identical"
    yield Row("SIGINT, SIGTERM", result, wrong)


def twice(folder: Path, count: int | None) -> Iterator[Row]:
    """Start a second training where one runs, where one ended, and with other settings."""
    run_dir = folder / "run"
    wrong: list[str] = []

    def expect_refusal(words: str, *more: str, where: Path = run_dir) -> None:
        ending = run_in_child(lambda: run_train_command(where, *more))
        if ending.code not in (1, 2) or words not in ending.stderr or "Traceback" in ending.stderr:
            wrong.append(f"{words}: {ending}")

    command = [sys.executable, "-m", *list_train_words(run_dir, epochs=10_000)]
    first = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while not (run_dir / "state.pt").exists() and first.poll() is None:
        time.sleep(0.1)
    expect_refusal("in use")
    expect_refusal("in use", "--resume")
    first.kill()
    first.wait()
    before = (run_dir / "last.pth").read_bytes()
    expect_refusal("holds a training already")
    expect_refusal("other settings", "--resume", "--lr", "0.5")
    expect_refusal("no longer finite", "--lr", "10", where=folder / "hot")
    if (run_dir / "last.pth").read_bytes() != before:
        wrong.append("overwritten")
    result = "5: refused in one line, nothing overwritten"
    yield Row("two trainers, other settings, loss not finite", result, wrong)


def ranks(folder: Path, count: int | None) -> Iterator[Row]:
    """Kill one of two processes under torchrun, freeze one, kill the agent that started them."""
    wrong: list[str] = []
    slowest = 0.0
    for fault in ("rank killed", "rank frozen", "agent killed"):
        run_dir = folder / fault.replace(" ", "-")
        seconds = _lose_a_process(fault, run_dir)
        slowest = max(slowest, seconds)
        if seconds > 60:
            wrong.append(f"{fault}: not gone after {seconds:.0f} s")
        if damage := find_damage(run_dir):
            wrong.append(f"{fault}: {damage}")
    result = f"3: all gone within {slowest:.0f} s, files whole"
    yield Row("torchrun: a rank killed, a rank frozen, the agent killed", result, wrong)

    command = [*_list_torchrun_words(folder / "few"), "--batch-size", "1"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=100)
    is_refused = "qdigits: 2 processes cannot share a batch of 1; start fewer\n" in run.stderr
    is_untouched = not list(folder.glob("few/*.pt*"))
    wrong = [] if run.returncode and is_refused and is_untouched else [run.stderr]
    yield Row("more processes than batch", "1: refused, nothing written", wrong)


def _list_torchrun_words(run_dir: Path) -> list[str]:
    """Return the command that trains in two processes for longer than any test waits."""
    return [*TORCHRUN, "-m", *list_train_words(run_dir, epochs=400)]


def _lose_a_process(fault: str, run_dir: Path) -> float:
    """Train in two processes, do one of them harm, and return the seconds until all are gone."""
    command = _list_torchrun_words(run_dir)
    agent = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (run_dir / "state.pt").exists() and agent.poll() is None:
        time.sleep(0.1)
    workers = psutil.Process(agent.pid).children(recursive=True)
    processes = [psutil.Process(agent.pid), *workers]
    victim = agent.pid if fault == "agent killed" else workers[-1].pid
    os.kill(victim, signal.SIGSTOP if fault == "rank frozen" else signal.SIGKILL)
    began = time.monotonic()
    while time.monotonic() - began < 100:
        if agent.poll() is not None and not any(worker.is_running() for worker in workers):
            break
        time.sleep(0.2)
    seconds = time.monotonic() - began
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    agent.wait()
    return seconds


STRESS = (kills, signals, twice, ranks)

"""Faults of the machine around a training: killed, interrupted, out of disk, run twice. Rows for torture.py."""

import contextlib
import hashlib
import os
import random
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import psutil

from qdigits import cli
from qdigits.data import download
from qdigits.models.checkpoint import load_model_file, load_state
from qdigits.training import trainer as train
from qdigits.training.config import TrainConfig
from tests.attacks import mirrors

SETTINGS = TrainConfig(
    data="sample", epochs=12, batch_size=250, lr=0.05, ema_decay=0.9, schedule="cosine", seed=1
)
LEFT = {"config.json", "metrics.jsonl", "best.pth", "last.pth", "state.pt", "state.pt.prev", "lock"}


def forked(
    action: Callable[[], object], at: float = 1e9, number: int = signal.SIGKILL
) -> tuple[int, str, float]:
    """Run in a child, with a signal after `at` seconds: (exit code, stderr, seconds from the signal to the end)."""
    with tempfile.TemporaryFile() as said:
        if (child := os.fork()) == 0:
            os.setpgid(0, 0)
            os.dup2(said.fileno(), 2)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            sys.stderr = os.fdopen(
                2, "w", buffering=1, closefd=False
            )  # pytest had put its own there
            signal.signal(
                signal.SIGINT, signal.default_int_handler
            )  # a shell's background jobs ignore it
            code = 70
            try:
                code = int(action() or 0)
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                os._exit(code)
        end, look = time.monotonic() + at, os.WEXITED | os.WNOHANG | os.WNOWAIT
        while (now := time.monotonic()) < end and os.waitid(os.P_PID, child, look) is None:
            time.sleep(0.002)
        os.kill(child, number)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said.seek(0)
        return code, said.read().decode(errors="replace"), time.monotonic() - now


def fit(run_dir: Path, resume: bool = True, settings: TrainConfig = SETTINGS) -> None:
    train.fit(settings, run_dir, resume=resume, progress=False)


def command(run_dir: Path, *more: str) -> int:
    return cli.main(
        [
            "train",
            "baseline",
            "--data",
            "sample",
            "--epochs",
            "12",
            "--run-dir",
            str(run_dir),
            *more,
        ]
    )


def limited(run_dir: Path, *more: str) -> int:
    """As a quota would end it: no file may grow beyond 64 kB."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, 2**16))
    return command(run_dir, *more)


def result(run_dir: Path) -> tuple:
    """What must not depend on how often a training was stopped: all but the seconds."""
    weights = [load_model_file(run_dir / name).state_dict() for name in ("best.pth", "last.pth")]
    history = load_state(run_dir / "state.pt")["history"]
    return (
        [{name: value.numpy().tobytes() for name, value in one.items()} for one in weights],
        [{key: value for key, value in epoch.items() if key != "seconds"} for epoch in history],
    )


def whole(run_dir: Path) -> str:
    """Trouble with what a kill left behind, or nothing."""
    try:
        for path in run_dir.glob("*.pth"):
            load_model_file(path)
        if (run_dir / "state.pt").exists():
            load_state(run_dir / "state.pt")
    except Exception as error:
        return str(error)
    return ""


def verdict(count: int, right: str, wrong: list[str]) -> str:
    return (
        f"{count}: {right}"
        if not wrong
        else f"{count}: WRONG {len(wrong)}: {wrong[0].strip()[-300:]}"
    )


def kills(folder: Path, n: int | None) -> Iterator[tuple[str, str]]:
    draw, wrong, count, runs = random.Random(0), [], 0, 0
    fit(folder / "whole")  # here, so that what it imports is there for every child
    expected, began = result(folder / "whole"), time.monotonic()
    forked(lambda: fit(folder / "again"))
    longest = time.monotonic() - began
    while count < (n or 100):
        run_dir, runs, code = folder / f"run{runs}", runs + 1, -signal.SIGKILL
        while code == -signal.SIGKILL:
            code, said, _ = forked(
                lambda run_dir=run_dir: fit(run_dir), draw.uniform(0, longest / 2)
            )
            count += code == -signal.SIGKILL
            if trouble := whole(run_dir) or said * (code > 0):
                wrong.append(trouble)
        if code == 0 and result(run_dir) != expected:
            wrong.append(f"run {runs} ended otherwise")
        if litter := {path.name for path in run_dir.iterdir()} - LEFT:
            wrong.append(f"left behind: {litter}")
    right = f"files whole each time; {runs} runs resumed to the end, bit-identical, no litter"
    yield "kill -9 in training", verdict(count, right, wrong)


def signals(folder: Path, n: int | None) -> Iterator[tuple[str, str]]:
    draw, wrong, slowest, count = random.Random(0), [], 0.0, n or 10
    forked(lambda: command(folder / "whole"))
    expected = result(folder / "whole")
    for index in range(count):
        number, code = ((signal.SIGINT, 130), (signal.SIGTERM, 143))[index % 2]
        run_dir = folder / f"run{index}"
        got, said, seconds = forked(
            lambda run_dir=run_dir: command(run_dir), draw.uniform(0.2, 1.5), number
        )
        slowest = max(slowest, seconds)
        if got not in (code, 0) or seconds > 5 or "Traceback" in said:
            wrong.append(f"signal {number}: exit {got} after {seconds:.1f} s: {said}")
        forked(lambda run_dir=run_dir: command(run_dir, "--resume"))
        if result(run_dir) != expected:
            wrong.append(f"run {index} ended otherwise")
    right = f"exit 130 and 143, slowest {slowest:.1f} s, resumed bit-identical"
    yield "SIGINT, SIGTERM", verdict(count, right, wrong)


def disk(folder: Path, n: int | None) -> Iterator[tuple[str, str]]:
    small, wrong, count = folder / "small", [], 0
    small.mkdir()

    def refused(
        what: str, action: Callable[[], int], path: Path, before: dict[Path, bytes]
    ) -> None:
        nonlocal count
        count += 1
        code, said, _ = forked(action)
        lines = [line for line in said.splitlines() if line.startswith("qdigits: ")]
        if code != 1 or len(lines) != 1 or "Traceback" in said or str(path) not in lines[0]:
            wrong.append(f"{what}: exit {code}: {said}")
        after = {path: path.read_bytes() for path in before}
        if before != after:
            wrong.append(
                f"{what}: changed {[path.name for path in before if before[path] != after[path]]}"
            )

    def kept(run_dir: Path) -> dict[Path, bytes]:
        return {
            path: path.read_bytes()
            for path in run_dir.glob("*")
            if path.name in LEFT - {"lock", "metrics.jsonl"}
        }

    with contextlib.ExitStack() as stack:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", small]).returncode:
            yield "disk full, read-only", "not tried: mounting a small disk needs root"
            return
        stack.callback(subprocess.run, ["umount", "-l", small])
        seconds = 1.0
        while not (
            small / "run/state.pt.prev"
        ).exists():  # a training on its way, two epochs at least
            forked(lambda: command(small / "run", "--resume"), seconds)
            seconds *= 1.5
        whole_run = kept(small / "run")
        refused(
            "over a limit, resumed", lambda: limited(small / "run", "--resume"), small, whole_run
        )
        with contextlib.suppress(OSError), open(small / "ballast", "wb") as ballast:
            while True:
                ballast.write(bytes(4096))
                ballast.flush()
        model = str(next(path for path in whole_run if path.suffix == ".pth"))
        for _ in range(3):
            refused("full, resumed", lambda: command(small / "run", "--resume"), small, whole_run)
        refused("full, a new run", lambda: command(small / "new"), small, whole_run)
        for out in (f"{small}/m.safetensors", f"{small}/m.onnx"):
            refused(
                f"full, {out}", lambda out=out: cli.main(["export", model, out]), small, whole_run
            )
        with (
            mirrors.mirror(os.urandom(50_000)) as server,
            patch.dict(os.environ, QDIGITS_CACHE=str(small / "cache")),
            patch.dict(download.MIRRORS, mnist=(f"{server.root}good/",)),
        ):
            refused(
                "full, a download",
                lambda: command(folder / "run", "--data", "mnist"),
                small,
                whole_run,
            )
        (small / "ballast").unlink()
        subprocess.run(["mount", "-o", "remount,ro", small])
        refused("read-only, resumed", lambda: command(small / "run", "--resume"), small, whole_run)
        refused(
            "read-only, export",
            lambda: cli.main(["export", model, f"{small}/m.safetensors"]),
            small,
            whole_run,
        )
        subprocess.run(["mount", "-o", "remount,rw", small])
        nowhere = folder / "nowhere"
        refused(
            "no such folder",
            lambda: cli.main(["export", model, f"{nowhere}/m.safetensors"]),
            nowhere,
            whole_run,
        )
        refused("a file as folder", lambda: command(Path(model) / "run"), Path(model), whole_run)
        forked(lambda: command(small / "run", "--resume"))
        forked(lambda: command(folder / "whole"))
        if result(small / "run") != result(folder / "whole"):
            wrong.append("the run that met a full disk ended otherwise")
        litter = [path.name for path in small.rglob("*.tmp")]
        if litter:
            wrong.append(f"left behind: {litter}")
    right = "exit 1, one line, good files untouched"
    yield "disk full, over a limit, read-only, folder missing", verdict(count, right, wrong)


def twice(folder: Path, n: int | None) -> Iterator[tuple[str, str]]:
    run_dir, wrong = folder / "run", []

    def refused(words: str, *more: str, where: Path = run_dir) -> None:
        code, said, _ = forked(lambda: command(where, *more))
        if code not in (1, 2) or words not in said or "Traceback" in said:
            wrong.append(f"{words}: exit {code}: {said}")

    words = [
        "train",
        "baseline",
        "--data",
        "sample",
        "--epochs",
        "10000",
        "--run-dir",
        str(run_dir),
    ]
    first = subprocess.Popen([sys.executable, "-m", "qdigits", *words], stderr=subprocess.DEVNULL)
    while not (run_dir / "state.pt").exists() and first.poll() is None:
        time.sleep(0.1)
    refused("in use")
    refused("in use", "--resume")
    first.kill()
    first.wait()
    before = (run_dir / "last.pth").read_bytes()
    refused("holds a training already")
    refused("other settings", "--resume", "--lr", "0.5")
    refused("no longer finite", "--lr", "10", where=folder / "hot")
    if (run_dir / "last.pth").read_bytes() != before:
        wrong.append("overwritten")
    yield (
        "two trainers, other settings, loss not finite",
        verdict(5, "refused in one line, nothing overwritten", wrong),
    )


def downloads(folder: Path, n: int | None) -> Iterator[tuple[str, str]]:
    """From a server on this machine: every way to fail, two at once, killed midway and begun again."""
    name, content, draw, wrong, killed = (
        "train-images-idx3-ubyte",
        os.urandom(200_000),
        random.Random(0),
        [],
        0,
    )
    path, known = folder / "cache" / f"{name}.gz", {name: (hashlib.md5(content).hexdigest(), None)}
    count = n or 100
    with (
        mirrors.mirror(content) as server,
        patch.dict(os.environ, QDIGITS_CACHE=str(path.parent)),
        patch.dict(download.PUBLISHED, known),
        patch.multiple(download, PATIENCE=0.5, DEADLINE=1, LARGEST=2**20),
        patch.dict(download.MIRRORS),
    ):

        def begun(how: str, at: float = 1e9) -> tuple[int, str]:
            download.MIRRORS["mnist"] = (f"{server.root}{how}/",)
            code, said, _ = forked(lambda: command(folder / "run", "--data", "mnist"), at)
            if path.exists() and path.read_bytes() != content:
                wrong.append(f"{how}: another file")
            return code, said

        for how in mirrors.BAD:
            code, said = begun(how)
            if code != 1 or said.count("qdigits: ") != 1 or "Traceback" in said or path.exists():
                wrong.append(f"{how}: exit {code}: {said}")
        for index in range(count):
            killed += begun("dripping", draw.uniform(0, 0.5))[0] == -signal.SIGKILL
            if index % 2:  # half of them go on from what the kill before left
                path.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        both = [threading.Thread(target=download.fetch, args=[name]) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        if path.read_bytes() != content:
            wrong.append("two at once")
    right = f"{len(mirrors.BAD)} bad servers: one line, no file; {killed} killed midway: the whole file or none"
    yield "downloads", verdict(count + len(mirrors.BAD), right, wrong)


def ranks(folder: Path, n: int | None) -> Iterator[tuple[str, str]]:
    """torchrun, two processes: one killed, one frozen, the agent killed."""
    torchrun = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
    ]
    training = [
        "-m",
        "qdigits",
        "train",
        "baseline",
        "--data",
        "sample",
        "--epochs",
        "400",
        "--run-dir",
    ]
    wrong, slowest = [], 0.0
    for what in ("rank killed", "rank frozen", "agent killed"):
        run_dir = folder / what.replace(" ", "-")
        words = [*torchrun, *training, str(run_dir)]
        agent = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not (run_dir / "state.pt").exists() and agent.poll() is None:
            time.sleep(0.1)
        workers = psutil.Process(agent.pid).children(recursive=True)
        everyone = [psutil.Process(agent.pid), *workers]
        victim = agent.pid if what == "agent killed" else workers[-1].pid
        os.kill(victim, signal.SIGSTOP if what == "rank frozen" else signal.SIGKILL)
        began = time.monotonic()
        while (
            agent.poll() is None or any(one.is_running() for one in workers)
        ) and time.monotonic() - began < 100:
            time.sleep(0.2)
        seconds = time.monotonic() - began
        slowest = max(slowest, seconds)
        if seconds > 60:
            wrong.append(f"{what}: not gone after {seconds:.0f} s")
        for process in everyone:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if trouble := whole(run_dir):
            wrong.append(f"{what}: {trouble}")
        agent.wait()
    right = f"all gone within {slowest:.0f} s, files whole"
    yield "torchrun: a rank killed, a rank frozen, the agent killed", verdict(3, right, wrong)
    words = [*torchrun, *training, str(folder / "few"), "--batch-size", "1"]
    run = subprocess.run(words, capture_output=True, text=True, timeout=100)
    refused = (
        run.returncode
        and "qdigits: 2 processes cannot share a batch of 1; start fewer\n" in run.stderr
    )
    fine = refused and not list(folder.glob("few/*.pt*"))
    yield (
        "more processes than batch",
        verdict(1, "refused, nothing written", [] if fine else [run.stderr]),
    )


def commands(folder: Path, n: int | None) -> Iterator[tuple[str, str]]:
    """Command lines that a tired person might type; nothing that would train or serve for long."""
    draw, wrong = random.Random(0), []
    picture, model = Path("examples/seven.png").resolve(), Path("mnist_model.pth").resolve()
    (folder / "pictures").mkdir()
    (folder / "pictures/broken.png").write_bytes(b"\x89PNG\r\n")
    things = [
        str(picture),
        str(model),
        "nowhere.png",
        "pictures",
        "",
        "-",
        "--",
        "0",
        "-1",
        "1e9",
        "nan",
        "sample",
        "mnist",
        "folder",
        "out.json",
        "x/y/z",
        "--json",
        "--csv",
        "--model",
        "--help",
        "--version",
        "--data",
        "--data-dir",
        "--out",
        "--split",
        "--epochs",
        "--lr",
        "--resume",
        "--run-dir",
        "baseline",
        "default",
        "m.onnx",
        "m.txt",
        "é\u202e",
        "*",
        "~",
        "writer",
        "--fetch=no",
    ]
    os.environ["QDIGITS_CACHE"] = str(folder.with_suffix(".cache"))
    os.chdir(folder)
    for _ in range(n or 1000):
        verb = draw.choice(("read", "read", "evaluate", "data", "export", "train", "nonsense", ""))
        argv = [verb] * bool(verb) + draw.choices(things, k=draw.randrange(5))
        if verb == "train":
            argv.append("--data-dir=nowhere")
        before = set(folder.rglob("*"))
        code, said, _ = forked(lambda argv=argv: cli.main(argv), 20)
        if code not in (0, 1, 2) or "Traceback" in said:
            wrong.append(f"{shlex.join(argv)}: exit {code}: {said}")
        new = set(folder.rglob("*")) - before
        if code and new:
            wrong.append(f"{shlex.join(argv)} failed and left {[path.name for path in new]}")
        for path in sorted(new, reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
    os.chdir(Path(__file__).parents[2])
    yield (
        "command lines",
        verdict(n or 1000, "exit 0, 1 or 2, no traceback, no file left by a failure", wrong),
    )


ROWS = {row.__name__: row for row in (kills, signals, disk, twice, downloads, ranks, commands)}

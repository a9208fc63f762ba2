"""Threats as bytes that do harm, and what becomes of them.

The tests run short versions, `make stress` the full ones.
"""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple


class Outcome(NamedTuple):
    """What became of one attack."""

    value: object  # what was returned, or the exception
    seconds: float  # of processor time
    megabytes: float  # peak above where it began

    def __str__(self) -> str:
        said = str(self.value).split(": ", 1)[-1] if isinstance(self.value, Exception) else ""
        return (
            f"{self.seconds:6.3f} s {self.megabytes:5.0f} MB  {type(self.value).__name__}: {said}"
        )


def tried(action: Callable[[], object], memory: bool = True) -> Outcome:
    """Run an attack in this process and measure it; Linux tells the memory, which takes a while."""
    if memory:
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before, start = _kilobytes("VmRSS") if memory else 0, time.process_time()
    try:
        value: object = action()
    except Exception as error:
        value = error
    seconds = time.process_time() - start
    return Outcome(value, seconds, (_kilobytes("VmHWM") - before) / 1024 if memory else 0)


def _kilobytes(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def mutants(data: bytes, count: int, seed: int = 0) -> Iterator[bytes]:
    """Damage data as disks, networks and malice do: bytes changed, cut off, doubled or lost."""
    draw = random.Random(seed)
    for _ in range(count):
        made = bytearray(data)
        for _ in range(draw.choice((1, 1, 1, 2, 5, 30))):
            at = draw.randrange(len(made))
            if draw.random() < 0.5:  # near the ends, where the lengths and names stand
                at = draw.choice((at % 400, -(at % 400))) % len(made)
            match draw.randrange(8):
                case 0:
                    del made[max(at, 1) :]
                case 1:
                    del made[at : at + draw.randrange(1, 50)]
                    made = made or bytearray(1)
                case 2:
                    made[at:at] = made[at : at + draw.randrange(1, 50)]
                case 3:
                    made[at : at + 4] = draw.choice(
                        (b"\xff" * 4, bytes(4), b"\x7f" + b"\xff" * 3, b"\x80\0\0\0")
                    )
                case 4:
                    made[at] ^= 1 << draw.randrange(8)
                case _:
                    made[at] = draw.randrange(256)
        yield bytes(made)

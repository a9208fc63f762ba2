"""A stranger's pickle as plain data: nothing is imported, run, or built at the size the file claims."""

import io
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass
class PickledCall:
    """What a pickle asks for, written down instead of done: a name, what it wants it called with, its state."""

    name: str
    given: tuple[Any, ...] | None = None
    state: Any = None

    def __call__(self, *given: Any) -> "PickledCall":
        return PickledCall(self.name, given)


class InertUnpickler(pickle._Unpickler):
    """A pickle as plain data and PickledCalls. Nothing is imported, run, or built at the size the file claims.

    The pure-Python unpickler: its every opcode can be overridden, and a damaged file cannot crash the process.
    """

    stack: list[Any]
    append: Callable[[Any], None]
    read: Callable[[int], bytes]
    pop_mark: Callable[[], list[Any]]
    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    def __init__(self, data: bytes, names: frozenset[str]) -> None:
        super().__init__(io.BytesIO(data))
        self.names = names

    def find_class(self, module: str, name: str) -> Any:
        if (full := f"{module}.{name}") not in self.names:
            raise pickle.UnpicklingError(f"it asks for {full[:60]!r}, which no such file needs")
        return (lambda: {}) if full == "collections.OrderedDict" else PickledCall(full)

    def persistent_load(self, pid: Any) -> PickledCall:
        return PickledCall("persistent", pid)

    def load_build(self) -> None:
        state = self.stack.pop()
        if isinstance(self.stack[-1], PickledCall):
            self.stack[-1].state = state

    def load_bytearray8(self) -> None:
        self.append(
            self.read(int.from_bytes(self.read(8), "little"))
        )  # the original allocates before it reads

    def load_setitems(self) -> None:
        self._set(self.pop_mark())

    def load_setitem(self) -> None:
        self._set([self.stack.pop(), self.stack.pop()][::-1])

    def _set(self, items: list[Any]) -> None:
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) is not str:  # ((x, x), (x, x)) and so on takes for ever to hash
                raise pickle.UnpicklingError("it has a key that is no text")
            self.stack[-1][key] = value

    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8
    dispatch[pickle.SETITEMS[0]] = load_setitems
    dispatch[pickle.SETITEM[0]] = load_setitem
    for _hashing in (
        pickle.DICT,
        pickle.EMPTY_SET,
        pickle.ADDITEMS,
        pickle.FROZENSET,
    ):  # no such file needs them
        del dispatch[_hashing[0]]


def read_pickle(data: bytes, names: frozenset[str]) -> Any:
    """A stranger's pickle, without running it: plain data, with a PickledCall wherever it names one of `names`.

    Raises  pickle.UnpicklingError where it asks for another name, and whatever a damaged pickle leads to.
    """
    return InertUnpickler(data, names).load()

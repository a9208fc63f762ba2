"""Read a pickle as plain data: nothing is imported, run, or built at the size it claims."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass
class PickledCall:
    """What a pickle asks for, written down instead of done.

    Attributes:
        name: The full name of what is to be called.
        args: What it is to be called with; None: it is only named.
        state: What the result is to be filled with.
    """

    name: str
    args: tuple[Any, ...] | None = None
    state: Any = None

    def __call__(self, *args: Any) -> PickledCall:
        return PickledCall(self.name, args)


def new_mapping() -> dict[str, Any]:
    """Stand for OrderedDict, but take no items: building it from items would hash them."""
    return {}


class InertUnpickler(pickle._Unpickler):
    """An unpickler that builds plain data and PickledCalls.

    It is the pure-Python unpickler: each of its opcodes can be overridden, and a damaged file
    cannot crash the process.
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
        full_name = f"{module}.{name}"
        if full_name not in self.names:
            raise pickle.UnpicklingError(
                f"it asks for {full_name[:60]!r}, which no such file needs"
            )
        if full_name == "collections.OrderedDict":
            return new_mapping
        return PickledCall(full_name)

    def persistent_load(self, pid: Any) -> PickledCall:
        return PickledCall("persistent", pid)

    def load_build(self) -> None:
        state = self.stack.pop()
        if isinstance(self.stack[-1], PickledCall):
            self.stack[-1].state = state

    def load_bytearray8(self) -> None:
        length = int.from_bytes(self.read(8), "little")
        self.append(self.read(length))  # the original takes the memory before it reads

    def load_setitems(self) -> None:
        self.set_items(self.pop_mark())

    def load_setitem(self) -> None:
        value = self.stack.pop()
        key = self.stack.pop()
        self.set_items([key, value])

    def set_items(self, items: list[Any]) -> None:
        """Set key after key: only texts and numbers, as ((x, x), (x, x)) takes ages to hash."""
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) not in (str, int):
                raise pickle.UnpicklingError("it has a key that is neither text nor number")
            self.stack[-1][key] = value

    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8
    dispatch[pickle.SETITEMS[0]] = load_setitems
    dispatch[pickle.SETITEM[0]] = load_setitem
    for _hashing in (pickle.DICT, pickle.EMPTY_SET, pickle.ADDITEMS, pickle.FROZENSET):
        del dispatch[_hashing[0]]  # no such file needs them


def read_pickle(data: bytes, names: frozenset[str]) -> Any:
    """Read a stranger's pickle without running it.

    Args:
        data: The pickle.
        names: What it may ask for, as "module.name"; each becomes a PickledCall.

    Returns:
        Plain data and PickledCalls.

    Raises:
        pickle.UnpicklingError: It asks for another name.
        Exception: Of any kind, where the pickle is damaged.
    """
    return InertUnpickler(data, names).load()

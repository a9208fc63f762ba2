"""Files that people take for a model of ours: what each is, and what to do about it."""

from __future__ import annotations

from qdigits.errors import ModelFileError

SAVE_WEIGHTS = "save the weights alone: torch.save(model.state_dict(), path)"
LEGACY_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # how torch before 1.6 began a file

FIRST_BYTES = {
    b"version https://git-lfs": "a Git LFS pointer, not the file itself; fetch it: git lfs pull",
    b"\x89HDF\r\n\x1a\n": "a Keras or HDF5 file; qdigits reads PyTorch's .pth, .safetensors, .onnx",
    LEGACY_MAGIC: "saved as torch before 1.6 did; save it again with a newer torch: "
    "torch.save(torch.load(path, weights_only=True), path)",
    b"\x80": f"a pickle, which may run code when it is opened; {SAVE_WEIGHTS}",
}
WEB_PAGE = "a web page, as a failed download leaves it; download the file again"
TORCHSCRIPT = f"a TorchScript program; {SAVE_WEIGHTS}"
KERAS = "a Keras model; qdigits reads PyTorch's .pth, .safetensors and .onnx"


def refuse_foreign_bytes(data: bytes) -> None:
    """Refuse a file whose first bytes show that it is of another kind.

    Raises:
        ModelFileError: What the file is, and the line that mends it.
    """
    for start, what in FIRST_BYTES.items():
        if data.startswith(start):
            raise ModelFileError(what)
    if data[:200].lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise ModelFileError(WEB_PAGE)


def refuse_foreign_archive(names: list[str]) -> None:
    """Refuse a zip archive whose parts show that it is of another kind.

    Raises:
        ModelFileError: What the archive is, and the line that mends it.
    """
    if any(name.endswith("/constants.pkl") for name in names):
        raise ModelFileError(TORCHSCRIPT)
    if "model.weights.h5" in names:
        raise ModelFileError(KERAS)
    if not any(name.endswith("/data.pkl") for name in names):
        raise ModelFileError(f"a zip archive without weights; {SAVE_WEIGHTS}")

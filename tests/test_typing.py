"""Type hints reach the user: a script of theirs, checked by mypy --strict."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = """
from qdigits import Prediction, Reading, load_model, predict, predict_many, read

model = load_model()
reading: Reading = read("photo.jpg")
same: Reading = read(model, "photo.jpg")
other: Reading = read("mnist_model.onnx", photo="photo.jpg")
one: Prediction = predict("seven.png")
answers: list[Prediction] = predict_many(model, ["seven.png"])
text: str = reading.text
confidence: float = reading.digits[0].confidence
print(reading.numbers[0].box.left + 1, one.digit, text, confidence)
"""
WRONG = {
    "reading.digit": "attr-defined",
    "one.digit + 1": "operator",  # it may be None
    "read()": "call-overload",
}


def test_a_script_passes_strict_checks_and_its_errors_are_found(tmp_path):
    api = pytest.importorskip("mypy.api")
    lines = SCRIPT.splitlines()
    path = tmp_path / "script.py"
    path.write_text("\n".join([*lines, *WRONG]))
    out, _, _ = api.run(
        [
            "--strict",
            "--follow-imports=silent",
            f"--config-file={ROOT / 'pyproject.toml'}",
            str(path),
        ]
    )
    errors = [line for line in out.splitlines() if ": error:" in line]
    assert len(errors) == len(WRONG), out
    for number, (error, code) in enumerate(zip(errors, WRONG.values(), strict=True)):
        assert f":{len(lines) + 1 + number}:" in error
        assert f"[{code}]" in error

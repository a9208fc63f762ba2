"""What the command makes of a reading: signs, doubt, unread ink and turned photos all show."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qdigits import batch
from qdigits.cli import main
from qdigits.reading.result import Box, Number, Prediction, Reading

TILE = np.zeros((28, 28), np.uint8)
BOX = Box(5, 5, 25, 25)


def digit(value: int) -> Prediction:
    return Prediction(value, 0.99, (0.099,) * 10, TILE, BOX, accepted=True)


def number(text: str, row: int, column: int, accepted: bool = True) -> Number:
    """A number whose digits are all sure, whatever is thought of it as a whole."""
    digits = tuple(digit(int(letter)) for letter in text if letter.isdigit())
    return Number(text, digits, BOX, row, column, 0.97 if accepted else 0.4, accepted)


def reading(*numbers: Number, unread: int = 0, turned: int = 0) -> Reading:
    rows: dict[int, list[str]] = {}
    for one in numbers:
        rows.setdefault(one.row, []).append(one.text)
    text = "\n".join(" ".join(row) for row in rows.values())
    digits = tuple(digit for one in numbers for digit in one.digits)
    return Reading(text, digits, numbers, (Box(40, 5, 60, 25),) * unread, turned)


SHEET = reading(
    number("4.5", 0, 0), number("-37", 0, 2), number("31/10/2023", 1, 1), unread=2, turned=1
)
DOUBTFUL = reading(number("12", 0, 0), number("-7", 0, 1, accepted=False), unread=1)
READINGS = {"sheet.png": SHEET, "doubtful.png": DOUBTFUL, "blank.png": reading()}


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """Three pictures, of which the readings above are made."""
    for name in READINGS:
        Image.new("L", (100, 60), 230).save(tmp_path / name)
    monkeypatch.setattr(
        batch,
        "read_together",
        lambda model, photos: [READINGS[Path(photo).name] for photo in photos],
    )
    monkeypatch.setattr("qdigits.cli._load", lambda model: None)
    monkeypatch.chdir(tmp_path)


def run(capsys, *arguments):
    """(exit code, stdout, stderr)"""
    code = main(["read", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def cells_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.usefixtures("pictures")
def test_text_has_signs_and_notes_say_what_a_person_needs_to_know(capsys):
    code, out, err = run(capsys, "sheet.png", "doubtful.png", "blank.png")
    assert code == 0
    assert out.splitlines() == [
        "sheet.png\t4.5 -37 / 31/10/2023\t0.9700",
        "doubtful.png\t12 -7\t0.4000",
        "blank.png\t\t0.0000",
    ]
    assert err.splitlines() == [
        "qdigits: sheet.png: read after turning it by 90 degrees; 2 marks were not read",
        "qdigits: doubtful.png: 1 mark was not read",
    ]


@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize("option", ["--quiet", "--json"])
def test_notes_are_left_out_where_nobody_wants_them(capsys, option):
    assert run(capsys, "sheet.png", option)[2] == ""


def test_notes_on_many_pictures_are_few(capsys, monkeypatch, tmp_path):
    names = [f"{n}.png" for n in range(30)]
    for name in names:
        (tmp_path / name).touch()
    monkeypatch.setattr(batch, "read_together", lambda model, photos: [DOUBTFUL] * len(photos))
    monkeypatch.setattr("qdigits.cli._load", lambda model: None)
    _, _, err = run(capsys, *(str(tmp_path / name) for name in names))
    notes = err.splitlines()
    assert len(notes) == 11
    assert notes[-1] == (
        "qdigits: 20 more pictures were turned or not read in full; --json says which"
    )


@pytest.mark.usefixtures("pictures")
def test_a_picture_is_accepted_by_its_numbers_not_by_its_digits(capsys):
    assert all(digit.accepted for digit in DOUBTFUL.digits)
    run(capsys, "sheet.png", "doubtful.png", "blank.png", "--csv", "out.csv")
    assert [row[1:4] for row in cells_of("out.csv")[1:]] == [
        ["4.5 -37 / 31/10/2023", "0.9700", "yes"],
        ["12 -7", "0.4000", "no"],
        ["", "0.0000", "no"],
    ]
    _, out, _ = run(capsys, "sheet.png", "doubtful.png", "blank.png", "--json")
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["accepted"] for record in records] == [True, False, False]
    assert [len(record["unread"]) for record in records] == [2, 1, 0]
    assert [record["turned"] for record in records] == [1, 0, 0]
    assert [one["accepted"] for one in records[1]["numbers"]] == [True, False]


@pytest.mark.usefixtures("pictures")
def test_a_table_has_the_rows_and_columns_of_the_sheet(capsys):
    code, out, _ = run(capsys, "sheet.png", "--table", "sheet.csv")
    assert (code, out) == (0, "")
    assert cells_of("sheet.csv") == SHEET.table() == [["4.5", "", "-37"], ["", "31/10/2023", ""]]


@pytest.mark.usefixtures("pictures")
def test_a_doubtful_number_in_a_table_has_a_question_mark(capsys):
    code, out, _ = run(capsys, "doubtful.png", "--table", "-")
    assert (code, out.splitlines()) == (0, ["12,-7?"])


@pytest.mark.usefixtures("pictures")
def test_tables_of_several_pictures_go_into_a_folder(capsys):
    names = ("sheet.png", "doubtful.png", "blank.png")
    assert run(capsys, *names, "--table", "tables")[:2] == (0, "")
    written = {path.name: cells_of(path) for path in Path("tables").iterdir()}
    assert written == {
        "sheet.png.csv": SHEET.table(),
        "doubtful.png.csv": [["12", "-7?"]],
        "blank.png.csv": [],
    }


@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sheet.png", "blank.png", "--table", "out.csv"], "for one picture; name a folder"),
        (["sheet.png", "blank.png", "--table", "-"], "for one picture; name a folder"),
        (["sheet.png", "--table", "out.xlsx"], "ends in .csv"),
        (["sheet.png", "--annotate", "out.pdf"], "ends in .png"),
        (["sheet.png", "--table", "out.csv", "--json"], "choose one"),
        (["sheet.png", "--table", "out.csv", "-o", "out.txt"], "choose one"),
        (["sheet.png", "--table", "out.csv", "--resume"], "--resume goes on with"),
    ],
)
def test_tables_that_cannot_be_written_are_refused_with_the_way_out(capsys, arguments, words):
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert not list(Path().glob("out*"))


@pytest.mark.usefixtures("pictures")
def test_a_table_is_replaced_only_when_asked(capsys):
    Path("sheet.csv").write_text("mine")
    code, _, err = run(capsys, "sheet.png", "--table", "sheet.csv")
    assert (code, Path("sheet.csv").read_text()) == (2, "mine")
    assert "--overwrite" in err
    assert run(capsys, "sheet.png", "--table", "sheet.csv", "--overwrite")[0] == 0
    assert cells_of("sheet.csv") == SHEET.table()


def test_a_picture_that_cannot_be_read_leaves_no_table(capsys, tmp_path):
    broken, table = tmp_path / "broken.png", tmp_path / "out.csv"
    broken.write_text("no picture")
    code, _, err = run(capsys, str(broken), "--table", str(table))
    assert code == 1
    assert "broken.png: not a picture" in err
    assert not table.exists()


@pytest.mark.usefixtures("pictures")
def test_readings_with_unread_ink_are_drawn(capsys):
    assert run(capsys, "sheet.png", "--annotate", "found.png", "-q")[0] == 0
    assert (np.asarray(Image.open("found.png")) != 230).any()

"""Names that strangers chose stay text: on the page and in tables."""

import pytest

pytest.importorskip("pandas")
import pandas as pd

from qdigits.app.formatting import inert_csv, percent, plain


def test_a_file_name_is_no_markdown():
    assert plain("![x](https://host/x.png)") == "\\!\\[x\\](https://host/x.png)"
    assert plain("<b>*a_b*") == "\\<b\\>\\*a\\_b\\*"
    assert plain("photo 1.png") == "photo 1.png"


def test_a_table_holds_no_formulas():
    table = pd.DataFrame([("=1+1.png", -37, "-37")], columns=["picture", "number", "text"])
    assert inert_csv(table).splitlines() == ["picture,number,text", "'=1+1.png,-37,-37"]


def test_a_share_is_never_rounded_to_certainty():
    assert percent(0.5) == "50.0\u00a0%"
    assert percent(0.9999) == "over 99.9\u00a0%"
    assert percent(0.0001) == "under 0.1\u00a0%"
    assert (percent(0.0), percent(1.0)) == ("0.0\u00a0%", "100.0\u00a0%")

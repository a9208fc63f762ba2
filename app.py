"""The page's entry: `streamlit run app.py`."""

from qdigits.app.page import main

main()

"""Charts whose text can be read: Streamlit's own axis text is too pale."""

from typing import Any

import altair as alt
import streamlit as st

INK = {"light": "#4a4a4a", "dark": "#cfcfcf"}  # at least 4.5:1 on the page's ground
PERCENT = "format(datum.value * 100, '.3~f') + '\u00a0%'"  # as `percent` writes it


def percent_axis(**options: Any) -> alt.Axis:
    """Return an axis of shares, in per cent as everywhere on the page."""
    return alt.Axis(labelExpr=PERCENT, **options)


def readable(chart: alt.Chart | alt.LayerChart) -> alt.Chart | alt.LayerChart:
    """Return the chart with axis text in a colour that stands out from the visitor's theme."""
    ink = INK.get(st.context.theme.type or "light", INK["light"])
    return chart.configure_axis(labelColor=ink, titleColor=ink).configure_title(color=ink)

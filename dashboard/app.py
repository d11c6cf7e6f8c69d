"""The dashboard's frame: the list of pages, the snapshot that they show, and how old it is."""

from pathlib import Path

import streamlit as st

from dashboard.links import FIRST, SECTIONS
from dashboard.reading import current
from dashboard.states import how_complete, how_old, told_in_words

ICON = Path(__file__).with_name("icon.svg")  # a file of ours: Streamlit would fetch one of its own from a font server

st.set_page_config(page_title="ProductPulse", page_icon=str(ICON), layout="wide")
pages = {
    section: [
        st.Page(view.file, title=view.title, icon=f":material/{view.icon}:", url_path=view.name, default=view is FIRST)
        for view in views
    ]
    for section, views in SECTIONS.items()
}
page = st.navigation(pages)
# A table's own download button would write cells as they are, which a spreadsheet may run; ours are below each table.
st.html("<style>[data-testid=stElementToolbarButton]:has([aria-label^='Download as CSV']) {display: none}</style>")
with told_in_words():
    with st.sidebar:
        reading = current()
        how_old(reading)
        how_complete(reading)
    page.run()

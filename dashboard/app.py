"""The dashboard: the list of pages, and in the sidebar the age of the snapshot that they show."""

from pathlib import Path

import streamlit as st

from dashboard.links import FIRST, SECTIONS, VIEWS
from dashboard.lists_behind import find_behind
from dashboard.reading import current
from dashboard.rows_behind import show_panel
from dashboard.states import show_absent_datasets, show_age, show_errors
from dashboard.view_filters import keep_view, show_filter_bar

ICON = Path(__file__).with_name("icon.svg")  # a local file: Streamlit would fetch its own icons from a font server

st.set_page_config(page_icon=str(ICON), layout="wide")  # the tab has the title of the page
pages = {
    section: [
        st.Page(view.file, title=view.title, icon=f":material/{view.icon}:", url_path=view.name, default=view is FIRST)
        for view in views
    ]
    for section, views in SECTIONS.items()
}
page = st.navigation(pages)
# Streamlit's own download button of a table is hidden: it writes cells that a spreadsheet could run as formulas. Each
# table has a button of ours instead.
st.html("<style>[data-testid=stElementToolbarButton]:has([aria-label^='Download as CSV']) {display: none}</style>")
view = VIEWS.get(page.url_path, FIRST)
with show_errors():
    with st.sidebar:
        reading = current()
        show_age(reading)
        show_absent_datasets(reading)
    keep_view(reading, view)
    show_panel(reading, find_behind)  # before the page, so that a click is answered first
    show_filter_bar(reading, view)
    page.run()

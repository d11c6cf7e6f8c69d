"""The figures that the pages and the HTML report share: rows in, a plotly figure out; no Streamlit."""

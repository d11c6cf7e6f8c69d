"""The plotly figures of the pages and of the HTML report. Each function takes rows and returns a figure."""

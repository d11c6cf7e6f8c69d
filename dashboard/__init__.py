"""The dashboard: Streamlit pages over the published snapshot, and what they share with reports and command line."""

"""The Streamlit page, one file a tab."""

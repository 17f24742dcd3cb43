"""Reports to strings: text for people, and a format for each program that reads them (`formats.py`)."""

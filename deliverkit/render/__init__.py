"""Reports to strings: text for people, JSON for programs."""

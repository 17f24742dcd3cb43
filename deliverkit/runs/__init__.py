"""Runs: one function each, that builds the ports, calls the probes and the engine, and folds the report."""

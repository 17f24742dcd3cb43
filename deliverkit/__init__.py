"""deliverkit: email deliverability diagnostics."""

__version__ = "0.1.0"

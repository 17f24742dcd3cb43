"""SARIF 2.1.0 (OASIS), shaped as GitHub's code scanning takes it: every result located, under its limits."""

from deliverkit.render.sarif.log import render

__all__ = ["render"]

"""TLS as a diagnostic client does it: take everything, keep the chain, judge afterwards.

A handshake that verifies as it goes shows no chain when it fails. Here the handshake takes any
certificate; `verify` then says whether the chain leads to a trust anchor, and why not. Nothing secret is
sent before that verdict.
"""

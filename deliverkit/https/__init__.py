"""HTTPS as RFC 8461 wants it: one request to a vetted address, no redirect, bounded in time and size."""

"""Issuers: somebody else makes the benefit at claim time."""

"""Dated versions of the partner API. The newest is pinned to a key when the key is made."""

KNOWN_VERSIONS = ("2026-11-01",)
CURRENT_VERSION = KNOWN_VERSIONS[-1]

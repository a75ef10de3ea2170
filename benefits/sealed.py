"""A code on its way from its row to the one person who may see it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SealedCode:
    """A code as it lies in its row, with the keys of its batch."""

    release_id: int
    slot: int
    sealed: bytes
    redeem_url_sealed: bytes
    key_number: int
    key_sealed: bytes | memoryview | None
    old_key_sealed: bytes | memoryview | None


@dataclass(frozen=True, slots=True)
class OpenCode:
    """A code in clear, on its way to the one person who may see it."""

    code: str
    redeem_url: str

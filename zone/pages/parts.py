"""A page made of parts: one that fails leaves a note, the others stay."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db import Error as DatabaseError

from zone.core.errors import ZoneError

logger = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """What a section shows, or the fact that it could not be read."""

    value: T | None
    has_failed: bool = False


def load_part(name: str, load: Callable[[], T]) -> Part[T]:
    """The part, or a failed one when our records cannot answer. Other faults are ours: they rise."""
    try:
        return Part(load())
    except (DatabaseError, ZoneError):
        logger.exception("part failed", extra={"part": name})
        return Part(None, has_failed=True)

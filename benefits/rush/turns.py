"""Pages one at a time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class _Turn:
    """One lock, and until when its holder may keep others waiting."""

    __slots__ = ("lock", "until")

    def __init__(self, until: float) -> None:
        self.lock = Lock()
        self.until = until


class Turns:
    """One at a time; whoever takes longer than `patience` seconds keeps nobody waiting any more.

    Work for the processor gains nothing from company. Work that is waiting for something else, a
    slow phone or a row that is locked, would keep everybody from it.
    """

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.turn = _Turn(self._deadline())
        self.change = Lock()

    def is_taken(self) -> bool:
        return self.turn.lock.locked()

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait for the turn and hold it."""
        turn = self._wait()
        turn.until = self._deadline()
        try:
            yield
        finally:
            turn.until = self._deadline()  # Of the next one, who has not begun.
            turn.lock.release()

    def _wait(self) -> _Turn:
        while True:
            turn = self.turn
            if turn.lock.acquire(timeout=max(0.0, turn.until - time.monotonic())):
                if turn is self.turn:
                    return turn
                turn.lock.release()  # Others have gone on beside it.
            elif turn.until <= time.monotonic():
                with self.change:
                    if turn is self.turn:
                        self.turn = _Turn(self._deadline())

    def _deadline(self) -> float:
        return time.monotonic() + self.patience

"""Calls of several threads, made as one."""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Told = TypeVar("Told")


class _Turn(Generic[Asked, Told]):
    """One thread's question, and what it was told."""

    __slots__ = ("asked", "bell", "is_over", "told")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.told: Told | None = None
        self.is_over = False
        self.bell = Lock()  # Held until the turn is over, or is the next to ask.
        self.bell.acquire()


class Together(Generic[Asked, Told]):
    """Whoever comes first asks for all who wait; the others hear what they were told.

    Nobody waits for company: alone a thread asks at once, and those who come while an answer is on
    its way are asked for together after it, in the order in which they came.
    """

    def __init__(
        self, ask_all: Callable[[Sequence[Asked]], Sequence[Told | None]], *, at_most: int
    ) -> None:
        self.ask_all = ask_all
        self.at_most = at_most
        self.lock = Lock()
        self.waiting: deque[_Turn[Asked, Told]] = deque()
        self.is_asking = False

    def ask(self, what: Asked) -> Told | None:
        """What was told. None, too, when another thread asked for this one and its call failed.

        Raises whatever `ask_all` raises, in the thread that called it.
        """
        turn: _Turn[Asked, Told] = _Turn(what)
        with self.lock:
            self.waiting.append(turn)
            is_first, self.is_asking = not self.is_asking, True
        if not is_first:
            turn.bell.acquire()
        if not turn.is_over:
            self._ask_for_next()
        return turn.told

    def _ask_for_next(self) -> None:
        """Ask for those who have waited longest; the calling thread is the first of them."""
        with self.lock:
            turns = [self.waiting.popleft() for _ in range(min(self.at_most, len(self.waiting)))]
        try:
            told = self.ask_all([turn.asked for turn in turns])
            for turn, one in zip(turns, told, strict=True):
                turn.told = one
        finally:
            with self.lock:
                following = self.waiting[0] if self.waiting else None
                self.is_asking = following is not None
            if following is not None:
                following.bell.release()
            for turn in turns:
                turn.is_over = True
                turn.bell.release()

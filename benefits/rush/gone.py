"""Who comes too late, or has one: the page's own answer, said again for about a second.

Of a hundred thousand who press the button ninety thousand come too late, all within a minute, and
all hear the same; those who won press again, and hear that they have one. The first of them is
answered by the page; its answer, with every header it left with, is said again to whoever is in the
same position, with their own claim in it. What is asked each time is what must be: whether the
session is open, whether the member may act, and how many they hold.

Nothing is said here that the page would not say: a release is gone only while the database has
said so within the last 200 ms (see `benefits/gate.py`), and an answer is kept under everything it
was made from.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import Error, connection

from benefits.gate import gate
from benefits.rush.asked import Answer, Asked, Environ, Position
from benefits.rush.together import Together
from benefits.views.panels import ANY_CLAIM, PANEL_SECONDS
from zone.core.rows import array, bytes_array, fetch_rows

GONE = "benefits.rush.gone"  # Set by the page when its answer is this one: the release's key.
OWNED = "benefits.rush.owned"  # The same, to somebody who has one: the claim it names.
RENEWAL_SECONDS = 0.2
_KEPT_MAX = 500
_AT_MOST = 16
_Press = tuple[bytes, UUID, int]  # a session, an operation and a release
_Row = tuple[Any, ...]  # whether it is a retry, the claim they hold, and where they stand
_READ = """
    SELECT nth, is_retry, held_id, held, wallet_id, is_adult, status, language, storefront, binding_status,
           binding_storefront, valid_until
    FROM benefits_too_late(%s::bytea[], %s::uuid[], %s::bigint[])
"""


@dataclass(frozen=True, slots=True)
class Late:
    """Somebody who asks for what is gone: where they stand, and the newest of what they hold.

    A retry asks for what its operation claimed.
    """

    position: Position
    held_id: str | None
    is_retry: bool

    def was_meant_by(self, environ: Environ) -> bool:
        """Whether the page answered to where they stood: to no other, nor to what became of them.

        Between this look and the page's a release may come back, and who was late may win.
        """
        if self.is_retry:
            return False
        if self.held_id is None:
            return GONE in environ
        return bool(environ.get(OWNED) == self.held_id)


class Gone:
    """What the page told those who came too late, by their position."""

    def __init__(self) -> None:
        self.releases: dict[tuple[str, str], int] = {}  # those that were gone, by address and name
        self.kept: dict[Position, tuple[float, Answer]] = {}
        self.presses: Together[_Press, _Row] = Together(_read_all, at_most=_AT_MOST)

    def find(self, asked: Asked) -> tuple[Late | None, Answer | None]:
        """Where whoever asks stands, and what is said there; None twice for the page to look."""
        late = self._look(asked)
        kept = None if late is None or late.is_retry else self.kept.get(late.position)
        if late is None or kept is None:
            return late, None
        until, answer = kept
        if until < (now := time.monotonic()):
            # One goes to the page, and the others hear once more what was said.
            self.kept[late.position] = (now + RENEWAL_SECONDS, answer)
            return late, None
        return late, answer if late.held_id is None else say_own(answer, late.held_id)

    def _look(self, asked: Asked) -> Late | None:
        release_id = self.releases.get((asked.slug, asked.release))
        if release_id is None or not gate.is_sold_out(release_id):
            return None
        token_hash = asked.hash_session()
        if token_hash is None:
            return None
        row = self.presses.ask((token_hash, asked.op_id, release_id))
        if row is None:
            return None
        is_retry, held_id, *rest = row
        return Late((*asked.place, *rest), held_id, is_retry)

    def keep(self, asked: Asked, late: Late | None, answer: Answer) -> None:
        """The page said this to whoever stands there: that the release is gone, or which they have.

        To somebody who holds one and may have another, a release that is gone is the page's to say.
        """
        if (release_id := asked.environ.get(GONE)) is not None:
            if len(self.releases) >= _KEPT_MAX:
                self.releases.clear()
            self.releases[asked.slug, asked.release] = release_id
        # Who stands elsewhere by now may have been answered there.
        if late is not None and late.was_meant_by(asked.environ) and self._look(asked) == late:
            if len(self.kept) >= _KEPT_MAX:
                self.kept.clear()
            blank = answer if late.held_id is None else blank_own(answer, late.held_id)
            self.kept[late.position] = (time.monotonic() + PANEL_SECONDS, blank)


def blank_own(answer: Answer, held_id: str) -> Answer:
    """An answer without the claim it names."""
    return replace(answer, body=answer.body.replace(held_id.encode(), ANY_CLAIM.encode()))


def say_own(answer: Answer, held_id: str) -> Answer:
    """The answer with this claim in it."""
    return replace(answer, body=answer.body.replace(ANY_CLAIM.encode(), held_id.encode()))


def _read_all(presses: Sequence[_Press]) -> list[_Row | None]:
    """What the answers depend on besides the release; None in the place of who asks the page."""
    told: list[_Row | None] = [None] * len(presses)
    try:
        rows = fetch_rows(
            _READ,
            [
                bytes_array(token_hash for token_hash, _, _ in presses),
                array(str(op_id) for _, op_id, _ in presses),
                array(str(release_id) for _, _, release_id in presses),
            ],
        )
    except Error:
        return told  # The page says what there is to say about that.
    finally:
        connection.close_if_unusable_or_obsolete()  # As at the end of every request.
    for nth, *row in rows:
        told[nth - 1] = tuple(row)
    return told

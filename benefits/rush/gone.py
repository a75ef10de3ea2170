"""Who comes too late: the page's own answer, said again for a second.

Of a hundred thousand who press the button ninety thousand come too late, all within a minute, and
all hear the same. The first of them is answered by the page; its answer, with every header it left
with, is said again to whoever is in the same position. What is asked each time is what must be:
whether the session is open, whether the member may act, and whether they hold the benefit already.

Nothing is said here that the page would not say: a release is gone only while the database has
said so within the last 200 ms (see `benefits/gate.py`), and an answer is kept under everything it
was made from.
"""

import time
from collections.abc import Sequence
from uuid import UUID

from django.db import Error, connection

from benefits.gate import gate
from benefits.rush.asked import Answer, Asked, Position
from benefits.rush.together import Together
from benefits.views.panels import PANEL_SECONDS
from zone.core.rows import array, bytes_array, fetch_rows

GONE = "benefits.rush.gone"  # Set by the page when its answer is this one: the release's key.
RENEWAL_SECONDS = 0.2
_KEPT_MAX = 500
_AT_MOST = 16
_Press = tuple[bytes, UUID, int]  # a session, an operation and a release
_READ = """
    SELECT nth, wallet_id, is_adult, status, language, storefront, binding_status,
           binding_storefront, valid_until
    FROM benefits_too_late(%s::bytea[], %s::uuid[], %s::bigint[])
"""


class Gone:
    """What the page told those who came too late, by their position."""

    def __init__(self) -> None:
        self.releases: dict[tuple[str, str], int] = {}  # those that were gone, by address and name
        self.kept: dict[Position, tuple[float, Answer]] = {}
        self.presses: Together[_Press, Position] = Together(_read_all, at_most=_AT_MOST)

    def find(self, asked: Asked) -> tuple[Position | None, Answer | None]:
        """Where whoever asks stands, and what is said there; None twice for the page to look."""
        position = self._position(asked)
        kept = self.kept.get(position) if position is not None else None
        if position is None or kept is None:
            return position, None
        if kept[0] < (now := time.monotonic()):
            # One goes to the page, and the others hear once more what was said.
            self.kept[position] = (now + RENEWAL_SECONDS, kept[1])
            return position, None
        return position, kept[1]

    def _position(self, asked: Asked) -> Position | None:
        release_id = self.releases.get((asked.slug, asked.release))
        if release_id is None or not gate.is_sold_out(release_id):
            return None
        token_hash = asked.hash_session()
        if token_hash is None:
            return None
        row = self.presses.ask((token_hash, asked.op_id, release_id))
        return None if row is None else (*asked.place, *row)

    def keep(self, asked: Asked, position: Position | None, answer: Answer) -> None:
        """The page said that the release is gone, and in these words to whoever stands there."""
        if len(self.releases) >= _KEPT_MAX:
            self.releases.clear()
        self.releases[asked.slug, asked.release] = asked.environ[GONE]
        if position is not None:
            if len(self.kept) >= _KEPT_MAX:
                self.kept.clear()
            self.kept[position] = (time.monotonic() + PANEL_SECONDS, answer)


def _read_all(presses: Sequence[_Press]) -> list[Position | None]:
    """What the answers depend on besides the release; None in the place of who asks the page."""
    told: list[Position | None] = [None] * len(presses)
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

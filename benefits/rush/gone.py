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

from django.db import Error, connection

from benefits.gate import gate
from benefits.rush.asked import Answer, Asked, Position
from benefits.views.panels import PANEL_SECONDS
from zone.core.rows import fetch_row

GONE = "benefits.rush.gone"  # Set by the page when its answer is this one: the release's key.
RENEWAL_SECONDS = 0.2
_KEPT_MAX = 500
# Everything that the answer depends on; no row for a member who is to be answered by the page.
_READ = """
    SELECT member.wallet_id, member.is_adult, member.status, member.language, member.storefront,
           binding.status, binding.storefront, binding.valid_until
    FROM members_membersession session
    JOIN members_member member ON member.id = session.member_id
    LEFT JOIN members_binding binding ON binding.member_id = member.id
        AND binding.status IN ('pending', 'active', 'suspended', 'unbinding')
    WHERE session.token_hash = %s::bytea AND session.revoked_at IS NULL
      AND session.idle_until > zone_now() AND session.expires_at > zone_now()
      AND member.status = 'active' AND member.frozen_at IS NULL
      AND NOT EXISTS (
          SELECT FROM benefits_claim made
          WHERE made.member_id = member.id AND made.op_id = %s::uuid)
      AND NOT EXISTS (
          SELECT FROM benefits_claim held
          WHERE held.release_id = %s::bigint AND held.member_id = member.id
            AND held.counts_to_limit AND (held.holds_slot OR held.state = 'gifted'))
"""


class Gone:
    """What the page told those who came too late, by their position."""

    def __init__(self) -> None:
        self.releases: dict[tuple[str, str], int] = {}  # those that were gone, by address and name
        self.kept: dict[Position, tuple[float, Answer]] = {}

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
        try:
            row = fetch_row(_READ, [token_hash, asked.op_id, release_id])
        except Error:
            return None  # The page says what there is to say about that.
        finally:
            connection.close_if_unusable_or_obsolete()  # As at the end of every request.
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

"""Codes made here: for shops that redeem through our API, never for what Apple redeems."""

from datetime import date, datetime

from django.utils.translation import gettext as _

from benefits.errors import ImportRefused
from benefits.models import CodeBatch, CodeImport, Release
from benefits.readable import make_codes
from benefits.services.staging import Stager

CODES_MAX = 1_000_000
PIECE_CODES = 4_000


def make_code_batch(
    *,
    release: Release,
    count: int,
    actor: str,
    now: datetime,
    expires_on: date | None = None,
    life_days_min: int = 7,
    kept_for: str = "",
) -> CodeImport:
    """Make `count` readable codes for a release; workers seal and sell them like those of a file.

    They are staged under seal as they are made, so that a worker that dies makes none twice.

    Raises ImportRefused for a benefit that Apple redeems, a release without codes, or too many;
    what `pools.refuse_end` raises.
    """
    if release.benefit.kind != "partner_perk":
        raise ImportRefused(why=_("Apple redeems only codes that it has made itself."))
    if not 1 <= count <= CODES_MAX:
        raise ImportRefused(
            why=_("at most %(number)s codes are made at once.") % {"number": CODES_MAX}
        )
    stager = Stager(
        release=release, file_name="", actor=actor, now=now, source=CodeBatch.Source.PLATFORM
    )
    try:
        stager.write(b"code,redemption_url\n")
        codes = make_codes(count)
        for start in range(0, count, PIECE_CODES):
            piece = [next(codes) for _ in range(min(PIECE_CODES, count - start))]
            stager.write(",\n".join([*piece, ""]).encode())
        return stager.finish(
            expires_on=expires_on, life_days_min=life_days_min, now=now, kept_for=kept_for
        )
    finally:
        stager.abandon()

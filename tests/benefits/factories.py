"""Benefits, releases and codes as tests need them."""

import io
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from benefits.models import Benefit, BenefitTerms, BenefitText, Claim, ProviderConfig, Release
from benefits.services.claims import claim_benefit
from benefits.services.imports import import_codes
from benefits.services.stock import create_release
from credits import ledger
from credits.kinds import Counter
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.members.models import Member

_numbers = count(1)
LONG_AGO = datetime(2026, 1, 5, 4, 0, tzinfo=UTC)


def make_benefit(**fields: Any) -> Benefit:
    """A live App Store coupon, free, for every bound member, with English text and terms."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "slug": f"coupon-{number}",
        "kind": "app_store_coupon",
        "detail": {"currency": "CNY", "amount_off": 600},
        "status": Benefit.Status.LIVE,
        "visible_from": LONG_AGO,
        "valid_days": 30,
    }
    benefit = Benefit.objects.create(**{**values, **fields})
    BenefitText.objects.create(
        benefit=benefit, language="en", title=f"Coupon {number}", terms="Once each."
    )
    BenefitTerms.objects.create(
        benefit=benefit,
        version="1",
        texts={"en": {"title": f"Coupon {number}", "terms": "Once each."}},
        published_at=LONG_AGO,
    )
    return benefit


def make_provider(**fields: Any) -> ProviderConfig:
    number = next(_numbers)
    values = {"code": f"issuer-{number}", "name": "Issuer", "url": "http://127.0.0.1:9"}
    return ProviderConfig.objects.create(**{**values, **fields})


def soon(**delta: float) -> datetime:
    return database_now() + timedelta(**delta)


def make_release(benefit: Benefit, *, stock: int = 0, codes: int = 0, **fields: Any) -> Release:
    """An open release: of `codes` sealed codes, or of `stock` units from a provider."""
    now = database_now()
    if codes:
        fields = {"mode": "codes", **fields}
    elif fields.get("mode", "provider") == "provider":
        fields = {"mode": "provider", "provider": fields.pop("provider", None), **fields}
        fields["provider"] = fields["provider"] or make_provider()
    release = create_release(
        benefit=benefit,
        stock=stock,
        actor="operator:test",
        now=now,
        **{"opens_at": LONG_AGO, **fields},
    )
    if codes:
        load_codes(release, codes)
    return release


def load_codes(release: Release, number: int, *, expires_on: str = "") -> list[str]:
    """Import `number` fresh codes; the release's stock grows by as many."""
    codes = [f"TEST{next(_numbers):012d}" for _ in range(number)]
    lines = ["code,redemption_url,expires_on"] + [
        f"{code},https://apps.apple.com/redeem?ctx=offercodes&id=1&code={code},{expires_on}"
        for code in codes
    ]
    report = import_codes(
        release=release,
        source=io.BytesIO("\n".join(lines).encode()),
        file_name="codes.csv",
        actor="operator:test",
        now=database_now(),
    )
    assert report.accepted == number, report.as_json()
    release.refresh_from_db()
    return codes


def claim(member: Member, release: Release, *, op_id: UUID | None = None) -> Claim:
    release = Release.objects.select_related("benefit").get(pk=release.pk)
    return claim_benefit(member=member, release=release, op_id=op_id or uuid7(), now=database_now())


def give_credits(member: Member, amount: int) -> None:
    ledger.earn(member_id=member.pk, op_id=uuid7(), amount=amount, counter=Counter.CAMPAIGNS)

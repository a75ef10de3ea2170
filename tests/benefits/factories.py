"""Benefits, releases and codes as tests need them."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from benefits.models import Benefit, BenefitTerms, BenefitText, ProviderConfig
from zone.core.clock import database_now

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

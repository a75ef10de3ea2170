"""A stage for a browser: the real processes, and something to claim."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

from benefits.models import Benefit, BenefitText, ProviderConfig, Release
from tests.benefits.factories import make_benefit, make_release

pytestmark = pytest.mark.browser
PICTURES = Path(settings.BASE_DIR) / "test-results" / "walk"


@dataclass(frozen=True)
class Shop:
    """What there is to claim: a coupon whose code is in hand, a trial that somebody makes."""

    coupon: Release
    trial: Release


@pytest.fixture
def shop(cloned_database) -> Shop:
    coupon = make_benefit(slug="coupon-6", hue=Benefit.Hue.MINT)
    trial = make_benefit(
        slug="music-trial",
        kind="apple_music_trial",
        detail={"service": "apple_music", "trial_period": "P3M"},
        hue=Benefit.Hue.PINK,
        price_credits=60,
    )
    BenefitText.objects.filter(benefit=coupon).update(title="¥6 off ¥30", kicker="App Store")
    BenefitText.objects.filter(benefit=trial).update(title="3 months free", kicker="Apple Music")
    issuer = ProviderConfig.objects.create(
        code="issuer", name="Issuer", kind=ProviderConfig.Kind.SANDBOX, url="http://127.0.0.1:9"
    )
    return Shop(
        coupon=make_release(coupon, codes=5), trial=make_release(trial, stock=5, provider=issuer)
    )


@pytest.fixture
def take_picture():
    """`take_picture(page, name)` keeps what a person sees now, for a person to look at later."""
    PICTURES.mkdir(parents=True, exist_ok=True)

    def take(page, name: str) -> None:
        page.wait_for_timeout(400)  # Without a GPU a sheet needs a moment to be painted.
        page.screenshot(path=PICTURES / f"{name}.png")

    return take

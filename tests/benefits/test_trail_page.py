"""The page of cause and effect: from a receipt to the benefit, and from the benefit back."""

from datetime import UTC, datetime

import pytest

from benefits.models import Claim
from benefits.services.claims import claim_benefit
from credits.services.earning import drain_earning
from tests.benefits.factories import make_benefit, make_release
from tests.credits.test_earning import USER_ID, pay
from tests.factories import bind, make_member, sign_in
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.history.models import Charge


@pytest.fixture
def story(db, client):
    """Two purchases of 68 and 30 credits, and a coupon of 80 credits that they paid for."""
    payer = make_member(user_id=USER_ID)
    bind(payer)
    pay(6800, bill_no="E1", at=datetime(2026, 11, 1, 4, tzinfo=UTC))
    pay(3000, bill_no="E2", at=datetime(2026, 11, 2, 4, tzinfo=UTC))
    while not drain_earning().is_empty:
        pass
    release = make_release(make_benefit(price_credits=80), codes=3)
    claim = claim_benefit(member=payer, release=release, op_id=uuid7(), now=database_now())
    sign_in(client, payer)
    return client, payer, claim


def test_from_the_purchase_to_the_benefit_and_what_it_is_worth(story):
    client, _payer, claim = story
    first, second = Charge.objects.order_by("id")
    receipt = client.get(f"/activity/{first.public_id}").content.decode()
    assert f'href="/credits/trail/{first.public_id}"' in receipt
    page = client.get(f"/credits/trail/{first.public_id}").content.decode()
    assert f'href="/me/benefits/{claim.public_id}"' in page
    assert "−68<" in page
    assert "worth up to ¥6.00" in page
    assert "Still yours" not in page
    page = client.get(f"/credits/trail/{second.public_id}").content.decode()
    assert "−12<" in page
    assert "Still yours" in page


def test_from_the_benefit_back_to_every_purchase(story):
    client, _payer, claim = story
    voucher = client.get(f"/me/benefits/{claim.public_id}").content.decode()
    assert f'href="/credits/trail/{claim.public_id}"' in voucher
    page = client.get(f"/credits/trail/{claim.public_id}").content.decode()
    for charge, amount in zip(Charge.objects.order_by("id"), (68, 12), strict=True):
        assert f'href="/activity/{charge.public_id}"' in page
        assert f"+{amount}<" in page
    assert "80 credits" in page


def test_a_chinese_reader_follows_it_too(story):
    client, payer, claim = story
    payer.language = "zh-hans"
    payer.save(update_fields=["language"])
    page = client.get(f"/credits/trail/{claim.public_id}").content.decode()
    assert "这些积分从何而来" in page
    assert "Cause and effect" not in page


def test_it_is_the_members_own_and_nothing_else(story, client):
    _client, _payer, claim = story
    charge = Charge.objects.first()
    for wrong in ("clm_x", "txn_x", "x", "txn_" + "0" * 26, claim.public_id.lower()):
        assert client.get(f"/credits/trail/{wrong}").status_code == 404
    other = make_member()
    bind(other)
    sign_in(client, other)
    for foreign in (claim.public_id, charge.public_id):
        assert client.get(f"/credits/trail/{foreign}").status_code == 404
    client.cookies.clear()
    assert client.get(f"/credits/trail/{claim.public_id}").status_code == 302
    assert Claim.objects.count() == 1

"""A partner with one live key that may do everything, a rival with another, and a benefit."""

import pytest

from tests.api.caller import Caller, assigned_release, make_partner
from tests.partners.hook_fixtures import authority, names, receiver
from zone.members.services.partner_members import introduce_member

__all__ = ["authority", "names", "receiver"]


@pytest.fixture
def partner(db):
    return make_partner("acme")


@pytest.fixture
def caller(partner):
    return Caller.of(partner)


@pytest.fixture
def rival(db):
    return Caller.of(make_partner("rival"))


@pytest.fixture
def release(partner):
    """Five codes in hand, free, one for each member."""
    return assigned_release(partner, codes=5)


@pytest.fixture
def known_alice(partner, alice):
    return introduce_member(partner=partner, member=alice, external_id="u-1").public_id


@pytest.fixture
def known_carol(partner, carol):
    return introduce_member(partner=partner, member=carol, external_id="u-3").public_id

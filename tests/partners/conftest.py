"""A partner with one test key that may do everything, and a way to call as it."""

import pytest

from tests.partners.caller import Caller, make_partner


@pytest.fixture
def partner(db):
    return make_partner("acme")


@pytest.fixture
def caller(partner):
    return Caller.of(partner)


@pytest.fixture
def rival(db):
    return Caller.of(make_partner("rival"))

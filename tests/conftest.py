"""The cast, always the same people: alice is bound, bob is bound, carol is not."""

import pytest

from tests.factories import bind, make_member


@pytest.fixture
def alice(db):
    member = make_member()
    bind(member)
    return member


@pytest.fixture
def bob(db):
    member = make_member()
    bind(member)
    return member


@pytest.fixture
def carol(db):
    return make_member()

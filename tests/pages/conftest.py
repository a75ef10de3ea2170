import pytest

from tests.factories import sign_in


@pytest.fixture
def alices_phone(client, alice):
    """alice's browser, signed in."""
    sign_in(client, alice)
    return client

"""What one agrees to can be read before agreeing, in the version the consent names."""

import pytest

from zone.members.services.consents import POLICY_VERSION

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/terms", "/privacy"])
def test_policy_is_open_and_says_its_version(client, address):
    assert f'href="{address}"' in client.get("/welcome").content.decode()
    page = client.get(address)
    assert page.status_code == 200
    assert f"Version {POLICY_VERSION}" in page.content.decode()

"""A receiver that answers, its name, and the network that counts as public here."""

import pytest

from tests.partners.receiver import Authority, Names, Receiver
from zone.partners.outbound import _tls


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def names(monkeypatch, settings, authority):
    settings.WEBHOOK_INNER_NETWORKS = ["127.0.0.0/8"]
    settings.WEBHOOK_CA_FILE = str(authority.path)
    _tls.cache_clear()
    return Names(monkeypatch)


@pytest.fixture
def receiver(authority, names):
    made = Receiver(authority.chain())
    yield made
    made.stop()

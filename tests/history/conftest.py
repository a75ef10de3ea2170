import pytest
from django.conf import settings
from django.test import Client

from tests.factories import bind, make_member
from zone.core import clock
from zone.members.services.sessions import open_session


@pytest.fixture
def hk_member(db):
    member = make_member(wallet="ALIPAY_HK")
    bind(member)
    return member


@pytest.fixture
def sign_in():
    """A browser in which `member` is signed in."""

    def sign_in(member):
        client = Client()
        client.cookies[settings.MEMBER_COOKIE_NAME] = open_session(
            member=member, now=clock.now()
        ).cookie
        return client

    return sign_in

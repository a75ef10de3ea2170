"""The language of a page: the member's, else the cookie's, else the browser's."""

import pytest

from tests.members import walk
from zone.members.models import Member

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("accept", "language"),
    [("zh-CN,zh;q=0.9", "zh-hans"), ("en-GB", "en"), ("de", "en"), ("", "en")],
)
def test_browser_decides_for_strangers(client, accept, language):
    response = client.get("/welcome", headers={"Accept-Language": accept})
    assert response["Content-Language"] == language
    assert f'lang="{language}"' in response.content.decode().replace("zh-Hans", "zh-hans")


@pytest.mark.parametrize(
    ("stored", "language"),
    [("zh-hans", "zh-hans"), ("en", "en"), ("xx", "en")],
)
def test_member_decides_for_themselves(client, stored, language):
    walk.sign_in(client)
    Member.objects.update(language=stored)
    response = client.get("/me/wallet", headers={"Accept-Language": "de"})
    assert response["Content-Language"] == language


def test_first_sign_in_keeps_the_language_of_the_page(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"
    walk.sign_in(client)
    assert Member.objects.get().language == "zh-hans"

"""The two doors to a claim as people and partners use them: over HTTP, to real processes."""

import re
import uuid

import httpx
from django.conf import settings

from benefits.models import Release
from tests.api.caller import Caller
from zone.core import clock
from zone.members.models import Member
from zone.members.services import sessions

ANSWER_SECONDS_MAX = 30


class Page:
    """A member on the page that asks once more before it claims."""

    def __init__(self, url: str, release: Release, member: Member) -> None:
        self.url = url
        self.address = f"/benefits/{release.benefit.slug}/claim"
        cookie = sessions.open_session(member=member, now=clock.now()).cookie
        self.jar = {settings.MEMBER_COOKIE_NAME: cookie}
        self.fields: dict[str, str] = {}

    def _browser(self, url: str = "") -> httpx.Client:
        return httpx.Client(base_url=url or self.url, cookies=self.jar, timeout=ANSWER_SECONDS_MAX)

    def look(self) -> None:
        """Read the form: its operation id and its CSRF token are this visit's."""
        with self._browser() as browser:
            page = browser.get(self.address)
            self.fields = dict(re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', page.text))
            self.jar |= dict(browser.cookies)

    def claim(self, *, through: str = "", **changed: str) -> httpx.Response:
        """Send the form, the same one however often; `through` is another way to the server."""
        if not self.fields:
            self.look()
        with self._browser(through) as browser:
            return browser.post(
                self.address,
                data={**self.fields, **changed},
                headers={"Origin": self.url, "Host": self.url.removeprefix("http://")},
            )


class Partner:
    """A partner's server with one request to send, under one key."""

    def __init__(self, url: str, caller: Caller, body: dict[str, str]) -> None:
        self.url, self.body = url, body
        self.headers = {
            "Authorization": f"Bearer {caller.token}",
            "Idempotency-Key": str(uuid.uuid4()),
        }

    def claim(self, *, through: str = "", **changed: str) -> httpx.Response:
        return httpx.post(
            f"{through or self.url}/api/v1/claims",
            json={**self.body, **changed},
            headers={**self.headers, "Host": self.url.removeprefix("http://")},
            timeout=ANSWER_SECONDS_MAX,
        )

"""Calling the API as a partner does: over HTTP, with a token from its own key."""

import base64
import uuid
from dataclasses import dataclass

from django.test import Client

from tests.benefits.factories import make_benefit, make_release
from zone.partners.models import Partner, PartnerKey
from zone.partners.scopes import SCOPES
from zone.partners.services.keys import create_key
from zone.partners.services.tokens import issue_token


def make_partner(slug: str) -> Partner:
    return Partner.objects.create(slug=slug, name=slug.title())


def basic(key_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{key_id}:{secret}".encode()).decode()


@dataclass
class Caller:
    partner: Partner
    key: PartnerKey
    secret: str
    token: str

    @classmethod
    def of(cls, partner: Partner, *, livemode: bool = True, scopes=None, **options) -> "Caller":
        scopes = list(SCOPES) if scopes is None else scopes
        key, secret = create_key(partner=partner, livemode=livemode, scopes=scopes, **options)
        return cls(partner, key, secret, issue_token(key=key, scopes=scopes))

    def get(self, path: str, query=None, **headers):
        return Client().get(f"/api/v1{path}", query, headers=self._headers(headers))

    def post(self, path: str, body=None, *, key: str | None = None, **headers):
        headers = {"Idempotency-Key": key or str(uuid.uuid4()), **headers}
        return Client().post(
            f"/api/v1{path}",
            {} if body is None else body,
            content_type="application/json",
            headers=self._headers(headers),
        )

    def send(self, method: str, path: str, raw: bytes | str = b"", content_type="", **headers):
        return Client().generic(
            method,
            f"/api/v1{path}",
            raw,
            content_type=content_type,
            headers=self._headers(headers),
        )

    def _headers(self, headers: dict) -> dict:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return {"Authorization": f"Bearer {self.token}", **named}


def assigned_release(partner: Partner, *, codes: int = 0, stock: int = 0, price: int = 0, **fields):
    """An open release of a benefit that `partner` may grant."""
    benefit = make_benefit(partner_ids=[partner.pk], price_credits=price, **fields)
    return make_release(benefit, codes=codes, stock=stock, price_credits=price)

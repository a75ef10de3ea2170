"""Members, sessions and stock for load, by a few statements; and the requests they send."""

import random
import secrets
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.db import connection

from benefits.models import Release
from benefits.services.pools import publish_codes
from tests import factories
from tests.bench import client
from tests.benefits.factories import load_codes, make_benefit, make_release
from zone.core import clock
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.members.services import sessions

CSRF = secrets.token_hex(16)

_MEMBERS = """
    WITH pattern AS (SELECT * FROM members_member WHERE id = %(pattern)s),
    made AS (
        INSERT INTO members_member (
            public_id, wallet_id, status, display_name, language, storefront, time_zone, is_adult,
            joined_at, created_at, updated_at)
        SELECT 'mbr_BENCH' || lpad((%(from)s + number)::text, 21, '0'), wallet_id, status, '',
               language, storefront, time_zone, true, joined_at, now(), now()
        FROM pattern, generate_series(1, %(number)s) AS number
        RETURNING id, storefront, joined_at
    ),
    bound AS (
        INSERT INTO members_binding (
            public_id, member_id, agreement_reference, account_masked, storefront, status,
            failure_reason, status_occurred_at, bound_at, query_count, created_at, updated_at)
        SELECT 'bnd_BENCH' || lpad(id::text, 21, '0'), id, 'AGR-BENCH-' || id, '', storefront,
               'active', '', joined_at, joined_at, 0, now(), now()
        FROM made
    )
    INSERT INTO members_membersession (
        member_id, token_hash, created_at, seen_at, idle_until, expires_at, host, device)
    SELECT made.id, token.hash, %(now)s, %(now)s, %(now)s + interval '1 day',
           %(now)s + interval '1 day', 'browser', ''
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM made) made
    JOIN unnest(%(hashes)s::bytea[]) WITH ORDINALITY AS token (hash, number)
      ON token.number = made.number
"""


def members(number: int) -> list[str]:
    """Bound members with an open session each; the cookies of their browsers."""
    pattern = factories.make_member()
    factories.bind(pattern)
    tokens = [secrets.token_urlsafe(24) for _ in range(number)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM members_member")
        cursor.execute(
            _MEMBERS,
            {
                "pattern": pattern.pk,
                "from": cursor.fetchone()[0],
                "number": number,
                "now": clock.now(),
                "hashes": [sessions._hash(token) for token in tokens],
            },
        )
    signer = signing.Signer(salt=sessions._SALT)
    return [
        f"{settings.MEMBER_COOKIE_NAME}={signer.sign(token)}; {settings.CSRF_COOKIE_NAME}={CSRF}"
        for token in tokens
    ]


def hot_release(codes: int) -> Release:
    """Sealed codes, taken as an operator's file is."""
    release = make_release(make_benefit(), codes=1, is_hot=True)
    for start in range(1, codes, 10_000):
        load_codes(release, min(10_000, codes - start))
    return release


def deep_release(codes: int) -> Release:
    """Many codes by one statement. They are never opened here, so nothing is sealed in them."""
    release = make_release(make_benefit(), codes=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO benefits_code (release_id, slot, batch_id, sealed, code_index, last_four,"
            " redeem_url_sealed)"
            " SELECT release_id, number, batch_id, sealed,"
            "        sha256((release_id || ':' || number)::bytea), 'XXXX', ''"
            " FROM benefits_code, generate_series(2, %s) AS number"
            " WHERE release_id = %s AND slot = 1",
            [codes, release.pk],
        )
    publish_codes(release=release, actor="operator:bench", now=database_now())
    release.refresh_from_db()
    return release


def ask(release: Release, cookie: str, *, op_id: str = "", is_panel: bool = True) -> bytes:
    """One press of the button."""
    body = {"op_id": op_id or str(uuid7()), "release": release.public_id, "price": 0}
    form = urlencode({**body, "csrfmiddlewaretoken": CSRF}).encode()
    path = f"/benefits/{release.benefit.slug}/claim"
    return client.post(path, form, cookie=cookie, is_panel=is_panel)


def floor(path: str, member: int) -> bytes:
    """A form posted to one of the floors, with its token."""
    form = urlencode({"member": member, "csrfmiddlewaretoken": CSRF}).encode()
    return client.post(path, form, cookie=f"{settings.CSRF_COOKIE_NAME}={CSRF}", is_panel=False)


def rush(release: Release, cookies: list[str], number: int) -> list[bytes]:
    """Every member once with a fresh operation, then more of them: retries and new tries."""
    dice = random.Random(1)
    operations = [str(uuid7()) for _ in cookies]
    askers = list(range(len(cookies)))
    askers += [dice.randrange(len(cookies)) for _ in range(number - len(askers))]
    dice.shuffle(askers)
    return [
        ask(release, cookies[who], op_id=operations[who] if dice.random() < 0.5 else "")
        for who in askers
    ]

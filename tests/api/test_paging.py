"""Lists: every row once, whatever happens while one walks."""

import time

import pytest

from tests.api.caller import Caller
from tests.benefits.factories import make_benefit
from zone.partners import paging


@pytest.fixture
def benefits(partner):
    return [make_benefit(partner_ids=[partner.pk]) for _ in range(7)]


def walk(caller, limit, meanwhile=lambda: None):
    seen, cursor = [], None
    while True:
        query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = caller.get("/benefits", query).json()
        seen += [row["id"] for row in page["data"]]
        if not page["has_more"]:
            assert page["next_cursor"] is None
            return seen
        cursor = page["next_cursor"]
        meanwhile()


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 100])
def test_every_row_once_newest_first(caller, benefits, limit):
    assert walk(caller, limit) == [benefit.public_id for benefit in reversed(benefits)]


def test_rows_inserted_meanwhile_neither_repeat_nor_shift(caller, partner, benefits):
    seen = walk(caller, 2, lambda: make_benefit(partner_ids=[partner.pk]))
    assert seen == [benefit.public_id for benefit in reversed(benefits)]


def cursor_of(caller, **query):
    return caller.get("/benefits", {"limit": 1, **query}).json()["next_cursor"]


def test_a_cursor_is_bound_to_filters_caller_and_list(caller, rival, partner, benefits):
    cursor = cursor_of(caller)
    assert caller.get("/benefits", {"cursor": cursor, "limit": 3}).status_code == 200
    tester = Caller.of(partner, livemode=False)
    for who, path, query in [
        (caller, "/benefits", {"cursor": cursor, "kind": "coupon"}),
        (caller, "/claims", {"cursor": cursor}),
        (rival, "/benefits", {"cursor": cursor}),
        (tester, "/benefits", {"cursor": cursor}),
        (caller, "/benefits", {"cursor": cursor[:-1] + ("A" if cursor[-1] != "A" else "B")}),
    ]:
        answer = who.get(path, query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


def test_a_cursor_is_good_for_24_hours(caller, benefits, monkeypatch):
    cursor = cursor_of(caller)
    later = time.time() + paging.CURSOR_LIVES.total_seconds() + 60
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    answer = caller.get("/benefits", {"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


def test_filters(caller, partner):
    coupon = make_benefit(partner_ids=[partner.pk], wallets=["GCASH"])
    paused = make_benefit(partner_ids=[partner.pk], status="paused", kind="icloud_trial")
    make_benefit(partner_ids=[partner.pk], status="draft")
    make_benefit(partner_ids=[])
    make_benefit(partner_ids=[partner.pk], livemode=False)

    def ids(**query):
        return [row["id"] for row in caller.get("/benefits", query).json()["data"]]

    assert ids() == [paused.public_id, coupon.public_id]
    assert ids(status="paused") == [paused.public_id]
    assert ids(status="live") == [coupon.public_id]
    assert ids(kind="trial") == [paused.public_id]
    assert ids(market="PH") == [paused.public_id, coupon.public_id]
    assert ids(market="CN") == [paused.public_id]

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from tests.history.messages import bill, user_id_of
from zone.history.models import Charge
from zone.history.queries.activity import first_id
from zone.history.services.ingest import ingest_bill
from zone.history.services.months import ensure_months, ensure_months_ahead


def partitions():
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits"
                       " WHERE inhparent = 'history_charge'::regclass")  # fmt: skip
        return {name for (name,) in cursor.fetchall()}


def test_a_month_is_made_once_for_all_three_tables(db):
    assert "history_charge_2011_03" not in partitions()

    assert ensure_months([datetime(2011, 3, 31, 23, 59, tzinfo=UTC)]) == 3
    assert ensure_months([datetime(2011, 3, 1, tzinfo=UTC)]) == 0
    assert "history_charge_2011_03" in partitions()


def test_the_coming_months_are_ready(db):
    ensure_months_ahead()

    assert ensure_months_ahead() == 0


def test_a_late_message_makes_its_own_month_as_the_application(alice):
    body = bill(user_id_of(alice), pay_time="2012-02-29T23:59:59.999Z")

    ingest_bill(wallet_code="ALIPAY_CN", body=body)

    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text, current_user FROM history_charge")
        table, role = cursor.fetchone()
    assert (table, role) == ("history_charge_2012_02", "zone_app")


@pytest.mark.parametrize(("first", "count"), [("2007-12-01", 1), ("2026-01-01", 0),
                                              ("2026-01-01", 121), ("2101-01-01", 1)])  # fmt: skip
def test_only_sensible_months_are_made(db, first, count):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT history_ensure_months(%s, %s)", [first, count])


def test_the_application_may_make_no_other_table(db):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE mine (id int)")


def test_python_and_sql_agree_on_the_first_key_of_an_instant(db):
    for moment in (datetime(2026, 11, 1, tzinfo=UTC), datetime(2008, 7, 1, 0, 0, 0, 1000, UTC)):
        with connection.cursor() as cursor:
            cursor.execute("SELECT history_first_id(%s)", [moment])
            assert cursor.fetchone()[0] == first_id(moment)


def test_the_database_refuses_refunds_above_the_charge(alice):
    ingest_bill(wallet_code="ALIPAY_CN", body=bill(user_id_of(alice)))

    with pytest.raises(DatabaseError), transaction.atomic():
        Charge.objects.update(refunded=6801)
    assert Charge.objects.get().refunded == 0

from datetime import UTC, datetime

import pytest

from zone.core.ids import instant_of, new_public_id, public_id_of, uuid7, uuid_of


def test_a_uuid7_carries_its_instant_and_version():
    at = datetime(2026, 11, 20, 9, 41, 7, 310000, tzinfo=UTC)
    value = uuid7(at)
    assert value.version == 7
    assert value.variant == "specified in RFC 4122"
    assert instant_of(value) == at


def test_public_ids_round_trip_and_sort_by_age():
    early, late = uuid7(datetime(2026, 1, 1, tzinfo=UTC)), uuid7(datetime(2026, 1, 2, tzinfo=UTC))
    assert uuid_of(public_id_of("clm", early)) == early
    assert public_id_of("clm", early) < public_id_of("clm", late)
    assert len(new_public_id("mbr")) == 30


@pytest.mark.parametrize(
    "broken", ["", "clm_", "clm_01ARZ3NDEKTSV4RRFFQ69G5FAI", "clm_ZZZZZZZZZZZZZZZZZZZZZZZZZZ"]
)
def test_what_is_no_public_id_is_refused(broken):
    with pytest.raises(ValueError, match="is not a public id"):
        uuid_of(broken)

"""A file of codes taken in the background: sealed while it waits, each line's fate on record."""

import io
from datetime import timedelta

import pytest

from benefits.errors import ImportRefused
from benefits.models import BenefitEvent, Code, CodeImport, CodeImportPart
from benefits.services import code_imports, staging
from benefits.services.code_imports import read_rejected
from benefits.services.imports import import_codes
from benefits.services.staging import Stager, sweep_abandoned
from tests.benefits.factories import make_benefit, make_release, soon
from zone.core.clock import database_now
from zone.core.vault import VaultError

URL = "https://apps.apple.com/redeem?ctx=offercodes&code="


@pytest.fixture
def release(db):
    return make_release(make_benefit(), mode="codes")


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(staging, "PART_BYTES", 4_000)


def file_of(number, *, faults=()):
    """A file with `number` sound rows and, in place of some lines, rows with a fault."""
    lines = ["code,redemption_url,expires_on"]
    lines += [f"BULK{row:08d},{URL}BULK{row:08d}," for row in range(2, number + 2)]
    for line, text in faults:
        lines[line - 1] = text
    return "\n".join(lines).encode() + b"\n"


def stage(release, content, *, piece=1_000):
    stager = Stager(release=release, file_name="a.csv", actor="operator:x", now=database_now())
    for start in range(0, len(content), piece):
        stager.write(content[start : start + piece])
    return stager.finish(expires_on=None, life_days_min=7, now=database_now())


def is_readable(sealed):
    """Whether a line can be read there. Four letters alone may stand in a cipher by chance."""
    return any(words in bytes(sealed) for words in (b"BULK0000", b"BULKNOURL", b"apps.apple.com"))


def drain():
    while code_imports.drain_imports():
        pass


FAULTS = [
    (40, f"bad,{URL}bad,"),
    (77, f"BULK00000003,{URL}BULK00000003,"),  # a row of an earlier part again
    (150, f"BULK00000149,{URL}BULK00000149,"),  # the row just before
    (200, "BULKNOURL001,,"),
    (280, "BULKFOREIGN1,https://elsewhere.example/,"),
    (299, f"BULKBADDATE1,{URL}x,2026-13-01"),
]
KINDS = {
    40: "bad_format",
    77: "duplicate_in_file",
    150: "duplicate_in_file",
    200: "missing_url",
    280: "foreign_host",
    299: "bad_date",
}


def test_every_line_has_its_fate_and_a_second_upload_adds_nothing(release):
    content = file_of(300, faults=FAULTS)
    row = stage(release, content)
    assert row.parts.count() > 3
    assert not any(is_readable(part.sealed) for part in row.parts.all())
    drain()
    row.refresh_from_db()
    assert (row.state, row.row_count, row.accepted_count) == ("done", 300, 294)
    assert dict(row.faults.values_list("line", "kind")) == KINDS
    assert CodeImportPart.objects.count() == 0
    kept = row.faults.exclude(sealed=None)
    assert set(kept.values_list("line", flat=True)) == {40, 200, 280, 299}, (
        "duplicates are not kept"
    )
    assert not any(is_readable(fault.sealed) for fault in kept)
    release.refresh_from_db()
    assert (release.stock, Code.objects.count()) == (294, 294)
    again = stage(release, content)
    drain()
    again.refresh_from_db()
    assert (again.state, again.accepted_count, Code.objects.count()) == ("done", 0, 294)
    # Line 150 repeats its neighbour; everything else is known from the first time.
    assert again.fault_counts["already_known"] == 295
    assert again.fault_counts["duplicate_in_file"] == 1


@pytest.mark.slow
def test_of_a_hundred_thousand_rows_exactly_the_ten_faulty_ones_are_named(release, monkeypatch):
    monkeypatch.undo()  # Parts as large as they are in use.
    faults = [
        *FAULTS,
        (25_000, "short,,"),
        (50_001, f"BULK00000002,{URL}BULK00000002,"),
        (99_999, f"BULKPLAIN001,{URL.replace('https', 'http')}x,"),
        (100_001, f"BULKLASTONE1,{URL}x,2020-01-01"),
    ]
    content = file_of(100_000, faults=faults)
    row = stage(release, content, piece=1 << 16)
    drain()
    row.refresh_from_db()
    assert (row.state, row.row_count, row.accepted_count) == ("done", 100_000, 99_990)
    assert dict(row.faults.values_list("line", "kind")) == KINDS | {
        25_000: "bad_format", 50_001: "duplicate_in_file", 99_999: "foreign_host",
        100_001: "expired",
    }  # fmt: skip
    release.refresh_from_db()
    assert (release.stock, Code.objects.count()) == (99_990, 99_990)
    again = stage(release, content, piece=1 << 16)
    drain()
    again.refresh_from_db()
    assert (again.accepted_count, Code.objects.count()) == (0, 99_990)


def test_lines_not_taken_are_corrected_and_loaded_again(release):
    row = stage(release, file_of(300, faults=FAULTS))
    drain()
    row.refresh_from_db()
    lines = read_rejected(row=row, actor="operator:x", now=database_now())
    assert [(line[0], *line[-2:]) for line in lines] == [
        ("bad", "40", "bad_format"),
        ("BULKNOURL001", "200", "missing_url"),
        ("BULKFOREIGN1", "280", "foreign_host"),
        ("BULKBADDATE1", "299", "bad_date"),
    ]
    assert BenefitEvent.objects.get(cause="read_rejected").facts == {
        "import": row.public_id, "lines": 4,
    }  # fmt: skip
    corrected = "code,redemption_url,expires_on,storefront,line,fault\n" + "".join(
        ",".join([code, f"{URL}{code}", "", "", number, fault]) + "\n"
        for code, _, _, _, number, fault in lines
    )
    again = stage(release, corrected.encode())
    drain()
    again.refresh_from_db()
    assert (again.accepted_count, again.fault_counts) == (3, {"bad_format": 1})


def test_lines_not_taken_are_forgotten_after_a_month(release):
    row = stage(release, file_of(60, faults=FAULTS[:1]))
    drain()
    soon_after = database_now() + timedelta(days=29)
    assert staging.sweep_faults(now=soon_after) == 0
    assert staging.sweep_faults(now=soon_after + timedelta(days=2)) == 1
    row.refresh_from_db()
    assert (row.key_sealed, row.faults.get().sealed) == (None, None)
    with pytest.raises(VaultError):
        read_rejected(row=row, actor="operator:x", now=database_now())


def test_in_the_background_and_at_once_a_file_has_the_same_report(release):
    content = file_of(300, faults=FAULTS)
    now = database_now()
    report = import_codes(
        release=release, source=io.BytesIO(content), file_name="b", actor="operator:x", now=now
    )
    lines = {line: kind for kind, lines in report.faulty_lines.items() for line in lines}
    assert lines == KINDS


def test_nothing_is_on_sale_before_the_last_part(release):
    row = stage(release, file_of(300))
    while row.parts.count() > 1:
        assert code_imports._take_part()
        release.refresh_from_db()
        assert release.stock == 0
    drain()
    release.refresh_from_db()
    assert release.stock == 300


def test_what_stopped_arriving_is_deleted(release):
    stager = Stager(release=release, file_name="a", actor="operator:x", now=database_now())
    stager.write(file_of(200))
    assert code_imports.drain_imports() == 0
    assert sweep_abandoned(now=soon(minutes=59)) == 0
    assert sweep_abandoned(now=soon(minutes=61)) > 0
    assert (CodeImport.objects.count(), Code.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe\x00\x00", b"code,redemption_url\n" + b"x" * 5_000, b"", b'code,"redemption_url\n' + b"x\n" * 3_000],
    ids=["no text", "a line without an end", "empty", "an open quote"],
)  # fmt: skip
def test_what_is_no_file_of_codes_is_refused_as_it_arrives(release, content):
    with pytest.raises(ImportRefused):
        stage(release, content)
    assert Code.objects.count() == 0


def test_a_file_without_its_columns_is_refused_by_name(release):
    row = stage(release, b"code,expires_on\nABCDEFGH1,\n")
    drain()
    row.refresh_from_db()
    assert (row.state, row.parts.count()) == ("refused", 0)
    assert "redemption_url" in row.refusal

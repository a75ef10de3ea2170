"""Loading a file of codes: exact report, nothing in clear, nothing twice."""

import io
import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from benefits import errors
from benefits.models import Code, CodeBatch, SlotCounter
from benefits.services import pools
from benefits.services.imports import import_codes
from tests.benefits.factories import claim, make_benefit, make_release
from tests.factories import bind, make_member
from zone.core.clock import database_now
from zone.core.vault import VaultError

DATA = Path(__file__).resolve().parent.parent / "data"
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
GOOD = "https://apps.apple.com/redeem?ctx=offercodes&id=1&code="


@pytest.fixture
def release(db):
    return make_release(make_benefit(), mode="codes")


def load(release, content: str | bytes, **options):
    raw = content if isinstance(content, bytes) else content.encode()
    values = {"file_name": "codes.csv", "actor": "operator:test", "now": NOW, **options}
    return import_codes(release=release, source=io.BytesIO(raw), **values)


def test_the_known_file_gives_the_known_report(release):
    expected = json.loads((DATA / "codes-expected.json").read_text())
    expected["faulty_lines"] = {
        kind: sorted(lines) for kind, lines in expected["faulty_lines"].items()
    }
    content = (DATA / "codes.csv").read_bytes()
    assert load(release, content).as_json() == expected
    release.refresh_from_db()
    assert (release.stock, release.last_slot, release.codes.count()) == (4988, 4988, 4988)
    ranges = list(SlotCounter.objects.filter(release=release).order_by("number"))
    assert len(ranges) == 16
    assert sum(counter.left for counter in ranges) == 4988
    batch = CodeBatch.objects.get(release=release)
    assert batch.expires_on == date(2027, 4, 30)
    assert batch.report == expected

    before = list(Code.objects.order_by("id").values_list("id", "slot", "code_index"))
    again = load(release, content).as_json()
    assert again["accepted"] == 0
    assert len(again["faulty_lines"]["already_known"]) == 4988
    release.refresh_from_db()
    assert release.stock == 4988
    assert list(Code.objects.order_by("id").values_list("id", "slot", "code_index")) == before


def test_command_prints_the_report(release, tmp_path, capsys):
    file = tmp_path / "new.csv"
    file.write_text(f"code,redemption_url\nABCD1234,{GOOD}ABCD1234\nnope,{GOOD}nope\n")
    call_command("import_codes", str(file), "--release", release.public_id)
    assert json.loads(capsys.readouterr().out) == {
        "rows": 2,
        "accepted": 1,
        "faulty_lines": {"bad_format": [3]},
    }
    with pytest.raises(CommandError, match=r"There is no release rel_nope\."):
        call_command("import_codes", str(file), "--release", "rel_nope")


@pytest.mark.parametrize(
    ("label", "row", "kind"),
    [
        ("lower case", f"abcd1234,{GOOD},", "bad_format"),
        ("too short", f"ABCD123,{GOOD},", "bad_format"),
        ("too long", f"{'A' * 33},{GOOD},", "bad_format"),
        ("no address", "ABCD1234,,", "missing_url"),
        ("plain http", "ABCD1234,http://apps.apple.com/x,", "foreign_host"),
        ("a host that only ends like ours", "ABCD1234,https://evilapps.apple.com.io/,",
         "foreign_host"),
        ("a host in the user part", "ABCD1234,https://apps.apple.com@evil.example/,",
         "foreign_host"),
        ("a script", "ABCD1234,javascript:alert(1),", "foreign_host"),
        ("no date", f"ABCD1234,{GOOD},soon", "bad_date"),
        ("life too short", f"ABCD1234,{GOOD},2026-11-24", "expired"),
    ],
)  # fmt: skip
def test_faults_by_kind(release, label, row, kind):
    report = load(release, f"code,redemption_url,expires_on\n{row}\n")
    assert report.as_json() == {"rows": 1, "accepted": 0, "faulty_lines": {kind: [2]}}
    assert not Code.objects.exists()


def test_a_code_is_known_in_every_release(release):
    other = make_release(make_benefit(), mode="codes")
    content = f"code,redemption_url\nABCD1234,{GOOD}\n"
    assert load(release, content).accepted == 1
    assert load(other, content).as_json()["faulty_lines"] == {"already_known": [2]}
    sandbox = make_release(make_benefit(livemode=False), mode="codes")
    assert load(sandbox, content).accepted == 1, "test codes are a world of their own"


@pytest.mark.parametrize(
    ("label", "content"),
    [
        ("no header", b"ABCD1234,https://apps.apple.com/\n"),
        ("empty", b""),
        ("not utf-8", b"code,redemption_url\n\xff\xfe\x00\n"),
        ("an endless line", b"code,redemption_url\n" + b"A" * 5000 + b",x\n"),
    ],
)
def test_files_that_are_none_are_refused_whole(release, label, content):
    with pytest.raises(errors.ImportRefused):
        load(release, content)
    assert not Code.objects.exists()
    release.refresh_from_db()
    assert release.stock == 0


def test_an_end_too_near_refuses_the_file(release):
    with pytest.raises(errors.CodesExpired):
        load(release, f"code,redemption_url\nABCD1234,{GOOD}\n", expires_on=date(2026, 11, 26))


def test_a_life_that_apple_gives_no_code_is_refused(release):
    """Six calendar months: NOW is the 20th of November, so the 20th of May is the last day."""
    row = "CODE2345678{n},{url},{day}\n"
    content = "code,redemption_url,expires_on\n"
    content += row.format(n=1, url=GOOD, day="2027-05-20")
    content += row.format(n=2, url=GOOD, day="2027-05-21")
    assert load(release, content).as_json()["faulty_lines"] == {"too_long": [3]}
    with pytest.raises(errors.CodesLiveTooLong):
        load(release, content, expires_on=date(2027, 5, 21))
    perk = make_release(make_benefit(kind="partner_perk"), mode="codes")
    assert load(perk, content.replace("CODE", "PERK")).accepted == 2, "a shop's own codes may"


@pytest.mark.parametrize("livemode", [True, False])
def test_an_index_made_in_bulk_is_the_index(livemode):
    many = pools.indexer(livemode=livemode)
    for code in ("A", "YK9XAG96AY9F4L6F", "Ü" * 40):
        assert many.index(code) == pools.index_of(code, livemode=livemode)


@pytest.mark.parametrize(
    ("today", "last"),
    [
        (date(2026, 8, 31), date(2027, 2, 28)),
        (date(2026, 6, 30), date(2026, 12, 30)),
        (date(2026, 7, 15), date(2027, 1, 15)),
        (date(2027, 8, 29), date(2028, 2, 29)),
    ],
)
def test_six_months_end_in_a_month_that_has_the_day(today, last):
    assert pools.last_day_of_new_codes(today) == last


def test_codes_of_one_storefront_are_for_a_benefit_of_that_one_alone(db):
    content = "code,redemption_url,storefront\n" + "".join(
        f"STORE{n:06d},{GOOD},{storefront}\n" for n, storefront in enumerate(("HKG", "PHL", ""))
    )
    made = {}
    for storefronts in (["HKG"], ["HKG", "PHL"], []):
        release = make_release(make_benefit(storefronts=storefronts), mode="codes")
        made["".join(storefronts)] = load(release, content).as_json()["faulty_lines"]
        Code.objects.all().delete()
    assert made == {
        "HKG": {"wrong_storefront": [3]},
        "HKGPHL": {"wrong_storefront": [2, 3]},
        "": {"wrong_storefront": [2, 3]},
    }


def test_a_code_of_one_storefront_is_never_a_members_of_another(db):
    release = make_release(make_benefit(storefronts=["HKG"]), mode="codes")
    load(release, f"code,redemption_url,storefront\nSTORE0000001,{GOOD},HKG\n")
    member = make_member()
    bind(member)
    assert member.storefront != "HKG"
    with pytest.raises(errors.WrongStorefront):
        claim(member, release)


def test_the_code_that_ends_first_goes_first_and_keeps_its_promised_life(release):
    """Files loaded in the wrong order; then the clock passes the end of the first one's sale."""
    now = database_now()
    ends_on = [(now + timedelta(days=days)).date() for days in (90, 40, 60)]
    for day, prefix in zip(ends_on, ("LATE", "SOON", "NEXT"), strict=True):
        rows = "".join(f"{prefix}{n:08d},{GOOD}\n" for n in range(3))
        content = f"code,redemption_url\n{rows}"
        load(release, content, expires_on=day, life_days_min=14, now=now)
    midnight = datetime.combine(ends_on[1], time(), tzinfo=ZoneInfo("Asia/Shanghai"))
    sale_ends = midnight + timedelta(days=1 - 14)
    made = []
    with connection.cursor() as cursor:
        for seconds in (None, -60, 60, 90):
            if seconds is not None:
                offset = (sale_ends - now).total_seconds() + seconds
                cursor.execute(f"SET zone.clock_offset = '{offset} seconds'")
            member = make_member()
            bind(member)
            made.append(claim(member, release))
        cursor.execute("RESET zone.clock_offset")
    codes = [release.codes.select_related("batch").get(slot=each.slot) for each in made]
    assert [pools.open_code(code).code[:4] for code in codes] == ["SOON", "SOON", "NEXT", "NEXT"]
    assert all(each.valid_until - each.granted_at >= timedelta(days=14) for each in made)


def test_a_provider_release_takes_no_codes(db):
    with pytest.raises(errors.ImportRefused):
        load(make_release(make_benefit(), stock=1), f"code,redemption_url\nABCD1234,{GOOD}\n")


def test_nothing_is_in_clear_at_rest(release, alice):
    load(release, f"code,redemption_url\nSECRET7Q2KCODE,{GOOD}SECRET7Q2KCODE\n")
    claim(alice, release)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith("benefits_"):
                cursor.execute(f"SELECT t::text FROM {table} t")
                written = " ".join(row[0] for row in cursor.fetchall())
                assert "SECRET7Q2KCODE" not in written
                assert b"SECRET7Q2KCODE".hex() not in written


def test_any_changed_bit_keeps_the_vault_shut(release):
    load(release, f"code,redemption_url\nABCD1234EF,{GOOD}ABCD1234EF\nWXYZ1234EF,{GOOD}W\n")
    code, other = Code.objects.order_by("slot")
    assert pools.open_code(code) == pools.OpenCode("ABCD1234EF", f"{GOOD}ABCD1234EF")
    sealed = bytes(code.sealed)
    for place in range(8, len(sealed) * 8):  # The first byte is the version, not part of the seal.
        changed = bytearray(sealed)
        changed[place // 8] ^= 1 << place % 8
        code.sealed = bytes(changed)
        with pytest.raises(VaultError):
            pools.open_code(code)
    code.sealed = other.sealed  # A sound envelope of another slot.
    with pytest.raises(VaultError):
        pools.open_code(code)
    code.sealed = sealed
    code.batch.key_sealed = b""  # The pool's key is shredded.
    with pytest.raises(VaultError):
        pools.open_code(code)

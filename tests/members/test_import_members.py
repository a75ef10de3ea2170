"""`manage.py import_members`: good rows kept, bad rows named, a re-run adds zero."""

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.factories import bind, make_member
from zone.members.models import Binding, Member, WalletIdentity
from zone.members.queries import has_active_binding
from zone.members.sandbox.models import SandboxAccount, SandboxAgreement
from zone.members.services.identities import find_member, find_user_id

pytestmark = pytest.mark.django_db
LIST = Path(__file__).parent.parent / "data" / "members.csv"
HEADER = "wallet,user_id,storefront,locale,bound_at\n"
GOOD = "ALIPAY_CN,2088000000000001,CHN,zh-Hans,2025-09-11T15:52:00+08:00\n"


def run(path: Path, **options) -> dict:
    out = StringIO()
    call_command("import_members", str(path), stdout=out, **options)
    return json.loads(out.getvalue())


def counts() -> tuple[int, int, int]:
    return Member.objects.count(), WalletIdentity.objects.count(), Binding.objects.count()


def test_whole_list_comes_in_and_a_second_run_adds_zero():
    first = run(LIST)
    assert first == {
        "rows": 285, "members_added": 285, "bindings_added": 285, "known": 0, "refused": 0,
        "faults": [],
    }  # fmt: skip
    assert counts() == (285, 285, 285)
    by_wallet = {
        code: Member.objects.filter(wallet=code).count()
        for code in ("ALIPAY_CN", "ALIPAY_HK", "GCASH")
    }
    assert by_wallet == {"ALIPAY_CN": 167, "ALIPAY_HK": 50, "GCASH": 68}
    member = find_member(wallet_code="ALIPAY_CN", user_id="2088434439589175")
    assert find_user_id(member) == "2088434439589175"
    assert (member.language, member.storefront) == ("zh-hans", "CHN")
    binding = member.bindings.get()
    assert binding.bound_at == datetime(2025, 9, 11, 7, 52, tzinfo=UTC)
    assert has_active_binding(member)
    assert not WalletIdentity.objects.filter(history_linked_at__isnull=False).exists()
    assert not Member.objects.filter(first_signed_in_at__isnull=False).exists()

    second = run(LIST)
    assert second["known"] == 285
    assert (second["members_added"], second["bindings_added"], second["refused"]) == (0, 0, 0)
    assert counts() == (285, 285, 285)


def test_a_list_costs_a_fixed_number_of_queries(django_assert_max_num_queries):
    with django_assert_max_num_queries(14):
        run(LIST)


FAULTS = [
    ("unknown_wallet", "NOPE,2088000000000002,CHN,zh-Hans,2025-09-11T15:52:00+08:00"),
    ("bad_user_id", "ALIPAY_CN,,CHN,zh-Hans,2025-09-11T15:52:00+08:00"),
    ("bad_user_id", "ALIPAY_CN,20 88,CHN,zh-Hans,2025-09-11T15:52:00+08:00"),
    ("bad_user_id", f"ALIPAY_CN,{'9' * 129},CHN,zh-Hans,2025-09-11T15:52:00+08:00"),
    ("storefront_of_another_country", "ALIPAY_CN,2088000000000002,HKG,zh-Hans,2025-09-11T15:52:00+08:00"),
    ("unknown_locale", "ALIPAY_CN,2088000000000002,CHN,xx,2025-09-11T15:52:00+08:00"),
    ("bad_bound_at", "ALIPAY_CN,2088000000000002,CHN,zh-Hans,yesterday"),
    ("bound_at_without_zone", "ALIPAY_CN,2088000000000002,CHN,zh-Hans,2025-09-11T15:52:00"),
    ("bound_at_in_the_future", "ALIPAY_CN,2088000000000002,CHN,zh-Hans,2125-09-11T15:52:00+08:00"),
    ("wrong_number_of_columns", "ALIPAY_CN,2088000000000002,CHN,zh-Hans"),
    ("wrong_number_of_columns", "ALIPAY_CN,2088000000000002,CHN,zh-Hans,2025-09-11T15:52:00+08:00,x"),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "line"), FAULTS)
def test_bad_row_is_named_and_the_good_ones_stay(tmp_path, reason, line):
    path = tmp_path / "list.csv"
    path.write_text(HEADER + GOOD + line + "\n", encoding="utf-8")
    refused = tmp_path / "refused.csv"
    report = run(path, refused=refused)
    assert report["faults"] == [{"line": 3, "reason": reason}]
    assert (report["rows"], report["members_added"], report["refused"]) == (2, 1, 1)
    assert counts() == (1, 1, 1)
    assert refused.read_text(encoding="utf-8").splitlines()[1].endswith(reason)


def test_corrected_rows_can_be_imported_again(tmp_path):
    path, refused = tmp_path / "list.csv", tmp_path / "refused.csv"
    path.write_text(HEADER + GOOD + FAULTS[5][1] + "\n", encoding="utf-8")
    run(path, refused=refused)
    refused.write_text(refused.read_text(encoding="utf-8").replace(",xx,", ",en,"), "utf-8")
    assert run(refused)["members_added"] == 1
    assert counts() == (2, 2, 2)


def test_member_who_unbound_later_is_not_bound_again():
    """A stale list does not undo what the member did."""
    member = make_member(user_id="2088434439589175")
    binding = bind(member)
    Binding.objects.filter(pk=binding.pk).update(
        status="unbound", unbound_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    run(LIST)
    assert not has_active_binding(member)
    assert member.bindings.count() == 1


def test_second_row_of_the_same_user_is_known(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(HEADER + GOOD + GOOD.replace("2025-09", "2025-10"), encoding="utf-8")
    report = run(path)
    assert (report["rows"], report["members_added"], report["known"]) == (2, 1, 1)
    assert Binding.objects.get().bound_at == datetime(2025, 9, 11, 7, 52, tzinfo=UTC)


def test_member_without_a_binding_gets_one():
    member = make_member(user_id="2088434439589175")
    assert run(LIST)["members_added"] == 284
    assert has_active_binding(member)


@pytest.mark.parametrize("content", [b"", b"wallet,user_id\n", b"\xff\xfe\x00", b"\x00\x01binary"])
def test_unreadable_file_is_a_sentence(tmp_path, content):
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=r"list\.csv"):
        run(path)
    assert counts() == (0, 0, 0)


def test_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        run(tmp_path / "none.csv")


def test_mirror_makes_the_wallets_side_of_a_list_once():
    run(LIST)
    for _ in range(2):
        call_command("mirror_sandbox", wallet="ALIPAY_HK", stdout=StringIO())
    assert SandboxAccount.objects.count() == 50
    assert SandboxAgreement.objects.count() == 50
    assert Binding.objects.filter(agreement_reference__isnull=False).count() == 50

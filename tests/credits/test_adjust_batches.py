"""Files of corrections: judged first, applied once by whoever may, undone without a trace."""

import csv
from datetime import date, timedelta
from functools import partial
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse

from credits import errors, ledger
from credits.kinds import Kind
from credits.models import AdjustBatch, AdjustRow
from credits.queries import get_balance, list_entries
from credits.services import adjust_batches, adjust_files, adjustments
from credits.undoing import undo_adjustment
from tests.credits.conftest import broken, rows, travel
from tests.factories import make_member, make_operator, sign_in_operator
from tests.threads import together
from zone.core.ids import uuid7
from zone.members.models import Member


def file_of(pairs, header="member,amount"):
    lines = [header, *(f"{member},{amount}" for member, amount in pairs)]
    return "\n".join(lines).encode()


def upload(pairs, maker, **more):
    batch = AdjustBatch(reason="mistake", note="Ticket 7", **more)
    file = adjust_files.read_adjust_file(
        file_of(pairs), name="late.csv", members=Member.objects.all()
    )
    adjust_files.ask_for_batch(batch, file=file, maker=maker)
    return batch


def apply(batch, operator):
    adjust_batches.apply_batch(batch_id=batch.pk, operator=operator)
    while adjust_batches.drain_adjustments():
        pass
    batch.refresh_from_db()


def verdicts(batch):
    return [(r.line, r.status, r.fault) for r in batch.rows.order_by("line")]


def balances(members):
    return [get_balance(member).available for member in members]


def test_every_line_is_judged_and_nothing_moves(alice, bob, carol):
    batch = upload(
        [
            (alice.public_id, "40"), (bob.public_id, "-5"), ("mbr_nobody", "1"), (carol.public_id, "x"),
            (alice.public_id, "2"), (carol.public_id, "0"), ("", ""), (carol.public_id, "1.5"),
            (f" {carol.public_id} ", " +7 "),
        ],
        make_operator("finance"),
    )  # fmt: skip
    assert [fault for _line, _status, fault in verdicts(batch)] == [
        "", "", "unknown_member", "wrong_amount", "member_twice", "wrong_amount", "unknown_member",
        "wrong_amount", "member_twice",
    ]  # fmt: skip
    assert (batch.row_count, batch.fault_count, batch.given, batch.taken) == (9, 7, 40, 5)
    assert balances([alice, bob, carol]) == [0, 0, 0]


@pytest.mark.parametrize(
    ("label", "data"),
    [
        ("empty", b""),
        ("header alone", b"member,amount\n"),
        ("other columns", b"person,points\na,1\n"),
        ("not UTF-8", b"member,amount\n\xff\xfe,1\n"),
        ("open quote", b'member,amount\n"a,1\n'),
        ("too long", b"member,amount\n" + b"x" * adjust_files.FILE_BYTES_MAX),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_file_of_corrections_is_refused_whole(db, label, data):
    with pytest.raises(adjust_files.AdjustFileRefused):
        adjust_files.read_adjust_file(data, name="x", members=Member.objects.all())
    assert AdjustBatch.objects.count() == 0


def test_apply_says_row_by_row_what_became_of_it(alice, bob, carol):
    maker = make_operator("finance")
    ledger.earn(member_id=bob.pk, op_id=uuid7(), amount=3)
    pairs = [(alice.public_id, 40), (bob.public_id, -5), ("mbr_nobody", 1), (carol.public_id, 9)]
    batch = upload(pairs, maker)
    apply(batch, maker)
    assert verdicts(batch) == [
        (2, "applied", ""), (3, "refused", "insufficient_credits"), (4, "faulty", "unknown_member"),
        (5, "applied", ""),
    ]  # fmt: skip
    assert (batch.status, batch.applied_count, batch.refused_count) == ("done", 2, 1)
    assert (batch.percent, batch.limit_used) == (100, 1000)
    assert balances([alice, bob, carol]) == [40, 3, 9]
    assert list_entries(alice)[0].related == batch.public_id


def test_undone_as_a_whole_leaves_no_drift(alice, bob, carol):
    members = [alice, bob, carol]
    for member in members:
        ledger.earn(member_id=member.pk, op_id=uuid7(), amount=50)
    maker, checker = make_operator("finance"), make_operator("finance")
    before = balances(members)
    batch = upload([(alice.public_id, 4000), (bob.public_id, -20), (carol.public_id, 7)], maker)
    with pytest.raises(adjustments.SecondPersonNeeded):
        adjust_batches.apply_batch(batch_id=batch.pk, operator=maker)
    assert balances(members) == before
    apply(batch, checker)
    assert balances(members) == [4050, 30, 57]

    undo = adjust_batches.reverse_batch(batch_id=batch.pk, maker=maker)
    assert (undo.given, undo.taken, balances(members)) == (20, 4007, [4050, 30, 57])
    with pytest.raises(adjustments.SecondPersonNeeded):
        adjust_batches.apply_batch(batch_id=undo.pk, operator=maker)
    apply(undo, checker)
    assert balances(members) == before
    moved = rows(
        "SELECT sum(available_change) FROM ledger.entry WHERE related = ANY(%s)",
        [[batch.public_id, undo.public_id]],
    )
    assert moved == [(0,)]
    for wrong in (batch, undo):
        with pytest.raises(adjust_batches.NotReversible):
            adjust_batches.reverse_batch(batch_id=wrong.pk, maker=maker)


def buckets(member):
    return rows(
        "SELECT bucket_keys, bucket_left FROM ledger.account WHERE member_id = %s", [member.pk]
    )


def test_undone_every_month_end_holds_what_it_held(alice, bob, carol):
    """What ends in March, in May and in a year is afterwards what it was, bucket by bucket."""
    members = [alice, bob, carol]
    for member in members:
        for until in (date(2027, 3, 31), date(2027, 5, 31), None):
            ledger.earn(member_id=member.pk, op_id=uuid7(), amount=50, until=until)
    before = [buckets(member) for member in members]
    maker, checker = make_operator("finance"), make_operator("finance")
    batch = upload(
        [(alice.public_id, "-70"), (bob.public_id, "-120"), (carol.public_id, "30")], maker
    )
    apply(batch, checker)
    assert buckets(bob)[0][1] == [30]

    undo = adjust_batches.reverse_batch(batch_id=batch.pk, maker=maker)
    apply(undo, checker)

    assert verdicts(undo) == [(2, "applied", ""), (3, "applied", ""), (4, "applied", "")]
    assert [buckets(member) for member in members] == before
    assert list_entries(bob)[0].orig_op == batch.rows.get(line=3).op_id


def test_what_lapsed_meanwhile_comes_back_and_expires_on_record(alice):
    """The pair of entries says both: the correction is undone, and the month has ended."""
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=50, until=date(2027, 3, 31))
    maker = make_operator("finance")
    batch = upload([(alice.public_id, "-20")], maker)
    apply(batch, maker)
    with travel(timedelta(days=200)):
        undo = adjust_batches.reverse_batch(batch_id=batch.pk, maker=maker)
        apply(undo, maker)
        newest, before = list_entries(alice)[:2]
    assert (before.kind, before.amount, before.alloc) == (Kind.ADJUST, 20, [652, 20])
    assert (newest.kind, newest.amount, newest.alloc) == (Kind.EXPIRE, -50, [652, 50])
    assert get_balance(alice).available == 0


def test_a_correction_is_undone_once_and_a_repeat_hears_the_same(alice):
    given = ledger.adjust(member_id=alice.pk, op_id=uuid7(), amount=9).op_id
    op = uuid7()
    first = undo_adjustment(member_id=alice.pk, op_id=op, orig_op=given)
    again = undo_adjustment(member_id=alice.pk, op_id=op, orig_op=given)
    assert (first.code, again.code, first.seq) == ("ok", "replayed", again.seq)
    with pytest.raises(errors.AmountExceedsOriginal):
        undo_adjustment(member_id=alice.pk, op_id=uuid7(), orig_op=given)
    with pytest.raises(errors.OriginalNotFound):
        undo_adjustment(member_id=alice.pk, op_id=uuid7(), orig_op=uuid7())
    assert get_balance(alice).available == 0


def test_undoing_repays_debt_first(alice):
    """What was corrected away and is given back first makes up for what is owed."""
    earned = ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=30).op_id
    taken = ledger.adjust(member_id=alice.pk, op_id=uuid7(), amount=-20).op_id
    ledger.clawback(member_id=alice.pk, op_id=uuid7(), orig_op=earned, amount=25)
    assert get_balance(alice).debt == 15
    undo_adjustment(member_id=alice.pk, op_id=uuid7(), orig_op=taken)
    balance = get_balance(alice)
    assert (balance.available, balance.debt) == (5, 0)


def test_who_spent_the_credits_meanwhile_is_named_and_never_in_debt(alice, bob):
    maker = make_operator("finance")
    batch = upload([(alice.public_id, 30), (bob.public_id, 30)], maker)
    apply(batch, maker)
    ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=25)
    undo = adjust_batches.reverse_batch(batch_id=batch.pk, maker=maker)
    apply(undo, maker)
    assert verdicts(undo) == [(2, "refused", "insufficient_credits"), (3, "applied", "")]
    assert (get_balance(alice).available, get_balance(alice).debt) == (5, 0)


def test_a_refused_undo_may_be_asked_for_again(alice):
    maker = make_operator("finance")
    batch = upload([(alice.public_id, 30)], maker)
    apply(batch, maker)
    undo = adjust_batches.reverse_batch(batch_id=batch.pk, maker=maker)
    adjust_batches.refuse_batch(batch_id=undo.pk)
    again = adjust_batches.reverse_batch(batch_id=batch.pk, maker=maker)
    apply(again, maker)
    assert get_balance(alice).available == 0


def test_files_and_single_corrections_count_against_one_limit(alice, bob):
    maker = make_operator("finance")
    apply(upload([(alice.public_id, 600), (bob.public_id, -1)], maker), maker)
    with pytest.raises(adjustments.SecondPersonNeeded):
        adjust_batches.apply_batch(
            batch_id=upload([(alice.public_id, -400)], maker).pk, operator=maker
        )
    single = adjustments.AdjustRequest(member=alice, amount=400, reason="mistake", note="x")
    adjustments.ask_for_adjustment(single, maker=maker)
    with pytest.raises(adjustments.SecondPersonNeeded):
        adjustments.apply_adjustment(request_id=single.pk, operator=maker)


def test_a_file_is_good_for_a_day_one_decision_and_once(alice):
    maker, checker = make_operator("finance"), make_operator("finance")
    batch = upload([(alice.public_id, 30)], maker)
    with pytest.raises(adjust_files.AdjustFileRefused):
        upload([(alice.public_id, 30)], checker)
    with pytest.raises(adjustments.MayNotApprove):
        adjust_batches.apply_batch(batch_id=batch.pk, operator=make_operator("support"))
    with travel(timedelta(hours=24, seconds=1)), pytest.raises(adjustments.AdjustmentDecided):
        adjust_batches.apply_batch(batch_id=batch.pk, operator=checker)
    adjust_batches.refuse_batch(batch_id=batch.pk)
    apply(upload([(alice.public_id, 30)], maker), maker)
    with pytest.raises(adjust_batches.NothingToApply):
        adjust_batches.apply_batch(batch_id=upload([("mbr_x", 30)], maker).pk, operator=checker)
    assert get_balance(alice).available == 30


@pytest.mark.parametrize(
    "wrong",
    [
        {"checker": "maker"}, {"note": ""}, {"status": "running"},
        {"status": "running", "decided_at": "now", "limit_used": 1},
    ],
)  # fmt: skip
def test_the_database_has_the_last_word(alice, wrong):
    batch = upload([(alice.public_id, 5)], make_operator("finance"))
    given = {"maker": batch.maker, "now": batch.created_at}
    values = {key: given.get(value, value) for key, value in wrong.items()}
    with pytest.raises(IntegrityError), transaction.atomic():
        AdjustBatch.objects.filter(pk=batch.pk).update(**values)


def test_two_workers_and_two_approvals_apply_each_row_once(cloned_database, monkeypatch):
    monkeypatch.setattr(adjust_batches, "ROWS_PER_COMMIT", 3)
    members = [make_member() for _ in range(20)]
    maker = make_operator("finance")
    checkers = [make_operator("finance") for _ in range(3)]
    batch = upload([(member.public_id, 100) for member in members], maker)
    answers = together(
        [
            partial(adjust_batches.apply_batch, batch_id=batch.pk, operator=checker)
            for checker in checkers
        ]
    )
    refused = [a for a in answers if isinstance(a, adjustments.AdjustmentDecided)]
    assert len(refused) == 2
    together([adjust_batches.drain_adjustments] * 4)
    while adjust_batches.drain_adjustments():
        pass
    batch.refresh_from_db()
    assert (batch.status, batch.applied_count) == ("done", 20)
    assert balances(members) == [100] * 20
    assert broken() == []


def test_control_a_row_applied_past_its_file_breaks_a_promise(alice):
    batch = upload([(alice.public_id, 5)], make_operator("finance"))
    row = batch.rows.get()
    ledger.adjust(member_id=alice.pk, op_id=row.op_id, amount=5, related=batch.public_id)
    assert broken() == ["I39"]
    AdjustRow.objects.filter(pk=row.pk).update(status="applied")
    assert broken() == []


def test_uploading_looking_and_deciding_in_the_console(client, alice, bob):
    maker, checker = make_operator("finance"), make_operator("finance")
    sign_in_operator(client, maker)
    add = reverse("admin:credits_adjustbatch_add")
    data = file_of([(alice.public_id, 1500), (bob.public_id, 20), ("=cmd", 1)])
    form = {"reason": "goodwill", "note": "Ticket 9", "file": SimpleUploadedFile("g.csv", data)}
    page = client.post(add, form, follow=True)
    batch = AdjustBatch.objects.get()
    text = page.content.decode()
    assert "no such member" in text
    assert f'action="/console/credits/adjustbatch/{batch.pk}/apply"' in text
    assert balances([alice, bob]) == [0, 0]

    press = reverse("admin:credits_adjustbatch_apply", args=[batch.pk])
    assert client.get(press).status_code == 403
    told = client.post(press, follow=True).content.decode()
    assert "another person has to approve it" in told
    again = {**form, "file": SimpleUploadedFile("g.csv", data)}
    assert "the same file was taken before" in client.post(add, again, follow=True).content.decode()

    client.cookies.clear()
    sign_in_operator(client, checker)
    assert "It is being applied" in client.post(press, follow=True).content.decode()
    adjust_batches.drain_adjustments()
    assert balances([alice, bob]) == [1500, 20]
    shown = client.get(
        reverse("admin:credits_adjustbatch_change", args=[batch.pk])
    ).content.decode()
    assert "Undo all of it" in shown
    report = client.get(reverse("admin:credits_adjustbatch_report", args=[batch.pk]))
    table = list(csv.DictReader(StringIO(report.getvalue().decode())))
    assert [(row["status"], row["member"]) for row in table] == [
        ("applied", alice.public_id), ("applied", bob.public_id), ("faulty", "'=cmd"),
    ]  # fmt: skip
    undo = reverse("admin:credits_adjustbatch_reverse", args=[batch.pk])
    assert "has to be applied like any other" in client.post(undo, follow=True).content.decode()

    client.cookies.clear()
    sign_in_operator(client, make_operator("support"))
    assert client.post(press).status_code == 403
    assert client.get(add).status_code == 403

"""The ledger as the admin reads it: views with a key of one column. Nothing writes through them."""

from enum import IntEnum
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from credits.kinds import AccountStatus, Counter, HoldState, Kind
from zone.core.ids import public_id_of


def _said(numbers: type[IntEnum]) -> list[tuple[int, Any]]:
    """The names of stored numbers, as an operator reads them."""
    return [
        (number.value, pgettext_lazy("ledger", number.name.lower().replace("_", " ")))
        for number in numbers
    ]


_COUNTERS = _said(Counter)


class Account(models.Model):
    """Where a member stands. `available` still counts lapsed credits that are not settled."""

    member = models.OneToOneField(
        "members.Member", models.DO_NOTHING, primary_key=True, related_name="+"
    )
    status = models.SmallIntegerField(choices=_said(AccountStatus))
    available = models.IntegerField()
    held = models.IntegerField()
    debt = models.IntegerField()
    seq = models.IntegerField()
    buckets = models.JSONField()

    class Meta:
        managed = False
        db_table = '"ledger"."account_view"'
        verbose_name = _("credit account")
        verbose_name_plural = _("credit accounts")

    def __str__(self) -> str:
        return f"member {self.member_id}"


class Entry(models.Model):
    """One line of the journal."""

    id = models.CharField(primary_key=True, max_length=60)
    member = models.ForeignKey("members.Member", models.DO_NOTHING, related_name="+")
    op_id = models.UUIDField()
    seq = models.IntegerField()
    kind = models.SmallIntegerField(choices=_said(Kind))
    counter = models.SmallIntegerField(choices=_COUNTERS)
    available_change = models.IntegerField()
    held_change = models.IntegerField()
    debt_change = models.IntegerField()
    available_after = models.IntegerField()
    held_after = models.IntegerField()
    debt_after = models.IntegerField()
    day = models.DateField()
    posted_at = models.DateTimeField()
    occurred_at = models.DateTimeField(null=True)
    orig_op = models.UUIDField(null=True)
    reason = models.CharField(max_length=40)
    related = models.CharField(max_length=40)

    class Meta:
        managed = False
        db_table = '"ledger"."entry_view"'
        verbose_name = _("credit entry")
        verbose_name_plural = _("credit entries")

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return public_id_of("cen", self.op_id)


class HeldCredits(models.Model):
    """Credits set aside, and what became of them."""

    id = models.CharField(primary_key=True, max_length=60)
    member = models.ForeignKey("members.Member", models.DO_NOTHING, related_name="+")
    op_id = models.UUIDField()
    amount = models.IntegerField()
    captured = models.IntegerField()
    state = models.SmallIntegerField(choices=_said(HoldState))
    counter = models.SmallIntegerField(choices=_COUNTERS)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=40)
    related = models.CharField(max_length=40)

    class Meta:
        managed = False
        db_table = '"ledger"."hold_view"'
        verbose_name = _("hold")
        verbose_name_plural = _("holds")

    def __str__(self) -> str:
        return public_id_of("hld", self.op_id)

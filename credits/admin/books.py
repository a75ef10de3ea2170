"""The books for support and finance: looked up by member or id, never changed by hand."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_date
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from credits.models import Account, Entry, HeldCredits
from zone.core.ids import uuid_of
from zone.members.admin.base import ReadOnlyAdmin, member_ids_for
from zone.members.models import Member


def members_named(term: str) -> list[int]:
    """Members by our id, a partner's id for them or a wallet's id."""
    if term.startswith("mbr_"):
        ours = list(Member.objects.filter(public_id=term).values_list("pk", flat=True))
        if ours:
            return ours
    return member_ids_for(term)


class MemberField(forms.CharField):
    """A member by whatever id an operator pastes; not everybody here may look through members."""

    def __init__(self, members: QuerySet[Member] | None = None, **options: Any) -> None:
        self.members = Member.objects.none() if members is None else members
        options.setdefault("label", _("Member"))
        options.setdefault(
            "help_text", _("Member id, a partner’s id for the member, or the wallet’s user id")
        )
        super().__init__(max_length=64, **options)
        self.widget.attrs["class"] = "vTextField"

    def clean(self, value: Any) -> Any:
        found = list(self.members.filter(pk__in=members_named(super().clean(value)))[:2])
        if len(found) != 1:
            raise ValidationError(_("There is no such member."))
        return found[0]


class MemberFormAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A form that names a member knows those whom its operator may see, and nobody else."""

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        form = super().get_form(request, obj, change, **options)
        if "member" not in form.base_fields:
            return form
        members = admin.site.get_model_admin(Member).get_queryset(request)
        return type(form.__name__, (form,), {"member": MemberField(members)})


class BookAdmin(ReadOnlyAdmin):
    """Rows of the ledger: a member's own rows are found by key, everything else by filters."""

    show_full_result_count = False
    list_select_related = ["member"]
    search_help_text = _("Member id, or the id of an entry or hold")
    # The fields that search reads; `get_search_results` looks each up by its own index.
    search_fields = ["=member"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.startswith(("cen_", "hld_")):
            return queryset.filter(op_id=_op_in(term)), False
        return queryset.filter(member_id__in=members_named(term)), False

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """One row by the two columns its key is made of, so that the journal's index is used."""
        member_id, _separator, op_id = object_id.partition("-")
        try:
            return self.get_queryset(request).get(member_id=int(member_id), op_id=UUID(op_id))
        except (ValueError, self.model.DoesNotExist):
            return None


def _op_in(public_id: str) -> UUID | None:
    try:
        return uuid_of(public_id)
    except ValueError:
        return None


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ["member", "status", "available", "held", "debt", "seq"]
    list_filter = ["status"]
    list_select_related = ["member"]
    show_full_result_count = False
    ordering = ["-member_id"]
    exclude = ["buckets"]
    readonly_fields = ["bucket_table"]
    search_help_text = _("Member id")
    search_fields = ["=member"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Account], search_term: str
    ) -> tuple[QuerySet[Account], bool]:
        term = search_term.strip()
        return (queryset.filter(member_id__in=members_named(term)) if term else queryset), False

    @admin.display(description=_("buckets"))
    def bucket_table(self, account: Account) -> SafeString | str:
        """What ends when; lapsed buckets stand here until they are settled."""
        if not account.buckets:
            return "–"
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (
                    parse_date(b["expires_on"]),
                    _("paid") if b["is_paid"] else _("promotional"),
                    b["amount"],
                )
                for b in account.buckets
            ),
        )
        return format_html("<table>{}</table>", rows)


@admin.register(Entry)
class EntryAdmin(BookAdmin):
    list_display = [
        "number", "posted_at", "member", "kind", "available_change", "held_change",
        "available_after",
    ]  # fmt: skip
    list_filter = ["kind", "counter"]
    ordering = ["-op_id"]
    exclude = ["id"]

    @admin.display(description=_("public id"))
    def number(self, entry: Entry) -> str:
        return entry.public_id


@admin.register(HeldCredits)
class HeldCreditsAdmin(BookAdmin):
    list_display = [
        "__str__", "created_at", "member", "amount", "captured", "state", "expires_at",
    ]  # fmt: skip
    list_filter = ["state", "counter"]
    ordering = ["-op_id"]
    exclude = ["id"]

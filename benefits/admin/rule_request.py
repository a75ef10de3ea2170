"""Requests for a rule, with the trial that the decision rests on; and trials by themselves."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.verbs import Verb, VerbsAdmin, actor_of
from benefits.conditions.kinds import BadLeaf, say_leaf
from benefits.conditions.words import say_tree
from benefits.models import PopulationRun, RuleRequest
from benefits.queries.names import NameBook
from benefits.services import rule_requests
from zone.core.clock import database_now
from zone.core.money import format_money

_APPROVE = "benefits.approve_benefit"


class CommentForm(forms.Form):
    comment = forms.CharField(
        label=gettext_lazy("Comment"), max_length=500, required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip


class ReasonForm(CommentForm):
    comment = forms.CharField(
        label=gettext_lazy("Why"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )


def approve(request: HttpRequest, row: RuleRequest, values: dict[str, Any]) -> str:
    done = rule_requests.approve_rule(
        request=row, actor=actor_of(request), comment=values["comment"], now=database_now()
    )
    return _("Version %(version)s of the rule is in force.") % {"version": done.version}


def reject(request: HttpRequest, row: RuleRequest, values: dict[str, Any]) -> str:
    rule_requests.reject_rule(
        request=row, actor=actor_of(request), comment=values["comment"], now=database_now()
    )
    return _("Rejected.")


def ask_for_changes(request: HttpRequest, row: RuleRequest, values: dict[str, Any]) -> str:
    rule_requests.return_rule(
        request=row, actor=actor_of(request), comment=values["comment"], now=database_now()
    )
    return _("Changes are asked for.")


def withdraw(request: HttpRequest, row: RuleRequest, values: dict[str, Any]) -> str:
    rule_requests.withdraw_rule(request=row, actor=actor_of(request), now=database_now())
    return _("Withdrawn.")


def trial_facts(run: PopulationRun) -> dict[str, Any]:
    """A trial as the template shows it: figures, conditions in words, and what to expect."""
    book, report = NameBook(), run.report
    examined = (run.sums or {}).get("examined", 0)
    span = run.last_member - run.first_member + 1
    whole = min(run.sample_size, span) if run.sample_size else span
    facts: dict[str, Any] = {
        "run": run,
        "examined": examined,
        "percent": min(100 * examined // max(whole, 1), 99),
        "wanted_words": say_tree(run.tree, book),
        "live_words": say_tree(run.live_tree, book),
    }
    if not report:
        return facts
    figures = [
        ("gain", _("would gain it"), "good"),
        ("lose", _("would lose it"), "bad"),
        ("both", _("keep it"), ""),
        ("neither", _("stay without"), ""),
    ]
    if run.benefit_id is None:
        figures = []
    facts |= {
        "eligible": report["eligible"],
        "figures": [(report[name], label, tone) for name, label, tone in figures],
        "wanted": _said_rows(report["wanted"], examined, book),
        "live": _said_rows(report["live"], examined, book),
    }
    if "outlook" in report:
        facts |= _outlook_facts(report)
    return facts


def _said_rows(rows: list[dict[str, Any]], examined: int, book: NameBook) -> list[dict[str, Any]]:
    said = []
    for row in rows:
        try:
            sentence = say_leaf(row["node"], book)
        except BadLeaf as fault:
            sentence = str(fault)
        percent = round(100 * row["met"] / examined, 1) if examined else 0
        said.append({**row, "sentence": sentence, "percent": percent})
    return said


def _outlook_facts(report: dict[str, Any]) -> dict[str, Any]:
    seen, supply = report["outlook"], report["supply"]

    def money(value: int | None) -> str:
        return "–" if value is None else format_money(value, supply["currency"], "en")

    return {
        "claims": seen["claims"],
        "cost_likely": money(seen["cost_likely"]),
        "cost_most": money(seen["cost_most"]),
        "sold_out_in_hours": seen["sold_out_in_hours"],
        "supply": supply,
        "rate_days": report["rate_days"],
    }


class TrialAdmin(VerbsAdmin):
    """A page of read-only facts with a trial's report below them."""

    change_form_template = "admin/benefits/trial_page.html"

    def run_of(self, row: Any) -> PopulationRun:
        raise NotImplementedError

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # Asked for where the rule is built.

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        facts = trial_facts(self.run_of(row)) if row is not None else {}
        return super().change_view(
            request, object_id, form_url, {"trial": facts, **(extra_context or {})}
        )


@admin.register(RuleRequest)
class RuleRequestAdmin(TrialAdmin):
    list_display = ("public_id", "benefit", "state", "maker", "created_at", "checker", "decided_at")
    list_filter = ("state",)
    list_select_related = ("benefit",)
    search_fields = ("public_id", "benefit__slug")
    fields = (
        "public_id", "benefit", "state", "base_version", "digest", "maker", "created_at",
        "expires_at", "checker", "decided_at", "comment", "version",
    )  # fmt: skip
    readonly_fields = fields
    verbs = (
        Verb("approve", gettext_lazy("Approve"), _APPROVE, CommentForm, approve),
        Verb("return", gettext_lazy("Ask for changes"), _APPROVE, ReasonForm, ask_for_changes),
        Verb("reject", gettext_lazy("Reject"), _APPROVE, ReasonForm, reject),
        Verb("withdraw", gettext_lazy("Withdraw"), "benefits.change_benefit", forms.Form, withdraw),
    )

    def run_of(self, row: Any) -> PopulationRun:
        run: PopulationRun = row.run
        return run


@admin.register(PopulationRun)
class PopulationRunAdmin(TrialAdmin):
    list_display = ("public_id", "benefit", "segment", "state", "actor", "created_at")
    list_filter = ("state",)
    list_select_related = ("benefit", "segment")
    search_fields = ("public_id", "benefit__slug", "segment__code")
    fields = (
        "public_id", "benefit", "segment", "state", "as_of", "sample_size", "seed", "actor",
        "created_at", "finished_at", "fault",
    )  # fmt: skip
    readonly_fields = fields

    def run_of(self, row: Any) -> PopulationRun:
        run: PopulationRun = row
        return run

"""A benefit's rule in a form, and what it says about one member."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.rule_builder import RuleDoor, rule_page
from benefits.admin.verbs import Page, ReadOnlyInline, Verb, actor_of
from benefits.models import Benefit, RuleVersion
from benefits.queries import current_tree, get_member_refusal, read_verdicts
from benefits.services.rule_requests import ask_for_rule
from benefits.services.rules import set_rule
from zone.core.clock import database_now
from zone.members.models import Member


def save_rule(request: HttpRequest, benefit: Benefit, tree: dict[str, Any]) -> str:
    """A draft takes its rule at once; what is out keeps the rule in force until a second person."""
    if benefit.status == Benefit.Status.DRAFT:
        version = set_rule(benefit=benefit, tree=tree, actor=actor_of(request), now=database_now())
        return _("Version %(version)s of the rule is in force.") % {"version": version.version}
    asked = ask_for_rule(benefit=benefit, tree=tree, actor=actor_of(request), now=database_now())
    return _("Request %(request)s waits for approval. It is being tried on members.") % {
        "request": asked.public_id
    }


def _is_draft(benefit: Benefit) -> bool:
    return benefit.status == Benefit.Status.DRAFT


def _note(benefit: Benefit) -> str:
    if _is_draft(benefit):
        return ""
    return _("This benefit is out: a second person approves its new rule, with a trial on members.")


BENEFIT_RULE = RuleDoor(
    title=lambda benefit: _("Who may claim it"),
    current=current_tree,
    save=save_rule,
    save_label=lambda row: _("Put in force") if _is_draft(row) else _("Ask for approval"),
    note=_note,
    benefit=lambda benefit: benefit,
)


def open_builder(model_admin: Any, request: HttpRequest, benefit: Benefit) -> HttpResponse:
    return rule_page(model_admin, request, benefit, BENEFIT_RULE)


class WhyForm(forms.Form):
    member = forms.CharField(label=gettext_lazy("Member id"), max_length=30, strip=True)

    def clean_member(self) -> Member:
        public_id = self.cleaned_data["member"]
        member = Member.objects.filter(public_id=public_id).select_related("wallet").first()
        if member is None:
            raise forms.ValidationError(_("There is no such member."))
        return member


def explain(request: HttpRequest, benefit: Benefit, values: dict[str, Any]) -> str:
    """What a claim of this member would be told, and each condition with its own answer."""
    member, now = values["member"], database_now()
    verdict = read_verdicts(member=member, benefits=[benefit], now=now, everything=True)[benefit.pk]
    refusal = get_member_refusal(benefit=benefit, member=member, now=now)
    lines = [
        f"{leaf.leaf.reason}: {_('yes') if leaf.is_met else leaf.sentence}"
        for leaf in verdict.leaves
    ]
    lines.append(
        _("A claim would be told: %(sentence)s")
        % {"sentence": refusal or _("nothing stands against it")}
    )
    if verdict.steps:
        steps = " → ".join(step.sentence for step in verdict.steps)
        lines.append(_("Shortest way: %(steps)s") % {"steps": steps})
    return " · ".join(lines)


class RuleInline(ReadOnlyInline):
    model = RuleVersion
    fields = ("version", "tree", "actor", "created_at")
    readonly_fields = fields
    show_change_link = False


RULE_PAGES = (
    Page("rule", gettext_lazy("Who may claim it"), "benefits.change_benefit", open_builder),
)
RULE_VERBS = (
    Verb("why", gettext_lazy("Why not this member"), "benefits.view_benefit", WhyForm, explain),
)

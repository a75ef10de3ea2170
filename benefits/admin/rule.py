"""A benefit's rule in a form, and what it says about one member."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.looks import open_frame, open_preview, open_readiness, open_why
from benefits.admin.rule_builder import RuleDoor, rule_page
from benefits.admin.verbs import Page, ReadOnlyInline, actor_of
from benefits.models import Benefit, RuleVersion
from benefits.queries import current_tree
from benefits.services.rule_requests import ask_for_rule
from benefits.services.rules import set_rule
from zone.core.clock import database_now


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


class RuleInline(ReadOnlyInline):
    model = RuleVersion
    fields = ("version", "tree", "actor", "created_at")
    readonly_fields = fields
    show_change_link = False


_VIEW = "benefits.view_benefit"
BENEFIT_PAGES = (
    Page(
        "rule",
        gettext_lazy("Who may claim it"),
        "benefits.change_benefit",
        open_builder,
        is_act=True,
    ),
    Page("why", gettext_lazy("Why not this member"), _VIEW, open_why),
    Page("preview", gettext_lazy("As a member sees it"), "members.view_member", open_preview),
    Page("ready", gettext_lazy("What is missing"), _VIEW, open_readiness),
)
# Reached from a page alone, so it is no button.
HIDDEN_PAGES = (Page("preview-frame", "", "members.view_member", open_frame),)

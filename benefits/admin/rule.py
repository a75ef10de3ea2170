"""A benefit's rule in a form, and what it says about one member."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.verbs import ReadOnlyInline, Verb, actor_of
from benefits.conditions.tree import read_tree
from benefits.models import Benefit, RuleVersion
from benefits.queries import get_member_refusal, read_verdicts
from benefits.services.rules import set_rule
from zone.core.clock import database_now
from zone.members.models import Member

_HELP = gettext_lazy(
    'Groups are {"all": […]} and {"any": […]}. Conditions: '
    '{"is": "wallet", "of": ["ALIPAY_CN"]} · {"is": "storefront", "of": ["CHN"]} · '
    '{"is": "language", "of": ["en"]} · {"is": "adult"} · {"is": "bound", "days": 30} · '
    '{"is": "purchases", "count": 2, "days": 30} · '
    '{"is": "spending", "amount": 5000, "currency": "CNY", "days": 30} · '
    '{"is": "subscription", "service": "apple_music", "state": "open"} '
    '(open, never, ever, lapsed) · {"is": "segment", "of": "vip"} · '
    '{"is": "claimed", "benefit": "its-address", "least": 1} (or "most"). '
    "{} lets everybody in."
)


class RuleForm(forms.Form):
    tree = forms.JSONField(
        label=gettext_lazy("Rule"),
        required=False,
        help_text=_HELP,
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false"}),
    )

    def clean_tree(self) -> Any:
        tree = self.cleaned_data["tree"] or {}
        read_tree(tree)
        return tree


def current_rule(benefit: Benefit) -> dict[str, Any]:
    version = benefit.rule_versions.order_by("-version").first()
    return {"tree": version.tree if version else {}}


def change_rule(request: HttpRequest, benefit: Benefit, values: dict[str, Any]) -> str:
    version = set_rule(
        benefit=benefit, tree=values["tree"], actor=actor_of(request), now=database_now()
    )
    return _("Version %(version)s of the rule is in force.") % {"version": version.version}


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


RULE_VERBS = (
    Verb(
        "rule", gettext_lazy("Who may claim it"), "benefits.change_benefit", RuleForm, change_rule,
        current_rule,
    ),
    Verb("why", gettext_lazy("Why not this member"), "benefits.view_benefit", WhyForm, explain),
)  # fmt: skip

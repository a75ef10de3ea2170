"""A code that does not work, as the shop or the till that was shown it says so."""

from typing import Any

from rest_framework import serializers

from benefits.api.redemptions import CODE_LETTERS_MAX, find_usable_claim
from benefits.errors import CodeNotUsable, NothingToReport
from benefits.models import CodeReport
from benefits.services.code_reports import report_code
from zone.core import clock
from zone.core.errors import ZoneError
from zone.partners import limiter
from zone.partners.declarations import Answer, Call, operation
from zone.partners.fields import IdField, InstantField, StrictSerializer, TextField
from zone.partners.objects import Shape, constant


class ReportInput(StrictSerializer):
    """A claim by its id or by its code, and what happened when it was used."""

    code = TextField(required=False, max_length=CODE_LETTERS_MAX)
    claim = IdField("clm", required=False)
    reason = serializers.ChoiceField(choices=CodeReport.Reason.values)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if ("code" in values) == ("claim" in values):
            raise serializers.ValidationError({"claim": "Send either claim or code."})
        return values


class CodeReportObject(Shape):
    """What became of it. `replacement` is told to the partner that granted the claim."""

    object = constant("code_report")
    id = serializers.CharField()
    livemode = serializers.BooleanField()
    claim = serializers.CharField()
    reason = serializers.ChoiceField(choices=CodeReport.Reason.values)
    status = serializers.ChoiceField(choices=CodeReport.State.values)
    replacement = serializers.CharField(allow_null=True)
    created_at = InstantField()
    decided_at = InstantField(allow_null=True)


@operation(
    summary="Report a code that does not work",
    tag="claims",
    scope="claims:redeem",
    body=ReportInput,
    answers={200: CodeReportObject, 201: CodeReportObject},
    is_idempotent_by_key=True,
    policies=(limiter.VALIDATE,),
    refusals=("code_not_usable", "invalid_state"),
    counted_refusals={"code_not_usable": limiter.BAD_CODES},
)
def report_bad_code(call: Call) -> Answer:
    """Written down once for each claim; the member gets another code at once, or a person looks.

    Only a code that its member was shown in the last 30 days. Sent again it answers 200 with what
    became of it, whoever reported it first.
    """
    claim = find_usable_claim(call)
    now = clock.database_now()
    first = CodeReport.objects.filter(claim=claim).first()
    try:
        report = first or report_code(
            claim=claim, reason=call.body["reason"], actor=call.actor, now=now
        )
    except ZoneError as refusal:
        raise _public(call, claim.partner_id, refusal) from refusal
    return Answer(200 if first else 201, _present(call, report))


def _public(call: Call, partner_id: int | None, refusal: ZoneError) -> ZoneError:
    """Why not, for a claim that this partner granted and named by id; else one answer for all."""
    is_known = partner_id == call.partner.pk and "claim" in call.body
    return refusal if is_known or not isinstance(refusal, NothingToReport) else CodeNotUsable()


def _present(call: Call, report: CodeReport) -> dict[str, Any]:
    claim = report.claim
    is_own = claim.partner_id == call.partner.pk
    replacement = report.replacement if is_own else None
    facts = {
        "object": "code_report",
        "id": report.public_id,
        "livemode": claim.livemode,
        "claim": claim.public_id,
        "reason": report.reason,
        "status": report.state,
        "replacement": replacement.public_id if replacement else None,
        "created_at": report.created_at,
        "decided_at": report.decided_at,
    }
    return dict(CodeReportObject(facts).data)

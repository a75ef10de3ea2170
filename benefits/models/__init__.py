from benefits.models.benefit import Benefit, BenefitEvent, BenefitTerms, BenefitText
from benefits.models.claim import Claim, ClaimEvent
from benefits.models.code import Code, CodeBatch
from benefits.models.limit import Budget, BudgetShare, BudgetUse, Quota, QuotaCount, QuotaUse
from benefits.models.provider import ProviderConfig
from benefits.models.release import DropSchedule, Release, ReturnedSlot, SlotCounter
from benefits.models.rule import PriceRow, RuleVersion
from benefits.models.segment import Segment, SegmentMember
from benefits.models.waitlist import WaitlistEntry

__all__ = [
    "Benefit",
    "BenefitEvent",
    "BenefitTerms",
    "BenefitText",
    "Budget",
    "BudgetShare",
    "BudgetUse",
    "Claim",
    "ClaimEvent",
    "Code",
    "CodeBatch",
    "DropSchedule",
    "PriceRow",
    "ProviderConfig",
    "Quota",
    "QuotaCount",
    "QuotaUse",
    "Release",
    "ReturnedSlot",
    "RuleVersion",
    "Segment",
    "SegmentMember",
    "SlotCounter",
    "WaitlistEntry",
]

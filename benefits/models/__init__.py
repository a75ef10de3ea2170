from benefits.models.benefit import Benefit, BenefitEvent, BenefitTerms, BenefitText
from benefits.models.claim import Claim, ClaimEvent
from benefits.models.code import Code, CodeBatch
from benefits.models.provider import ProviderConfig
from benefits.models.release import DropSchedule, Release, ReturnedSlot, SlotCounter

__all__ = [
    "Benefit",
    "BenefitEvent",
    "BenefitTerms",
    "BenefitText",
    "Claim",
    "ClaimEvent",
    "Code",
    "CodeBatch",
    "DropSchedule",
    "ProviderConfig",
    "Release",
    "ReturnedSlot",
    "SlotCounter",
]

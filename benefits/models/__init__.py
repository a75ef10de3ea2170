from benefits.models.alarm import Alarm
from benefits.models.benefit import Benefit, BenefitEvent, BenefitTerms, BenefitText
from benefits.models.bulk import BulkJob, BulkRow
from benefits.models.bundle import Bundle, BundleItem
from benefits.models.claim import Claim, ClaimEvent
from benefits.models.code import Code, CodeBatch
from benefits.models.code_import import CodeImport, CodeImportFault, CodeImportPart
from benefits.models.code_report import CodeReport
from benefits.models.draw import DrawEntry, FairDraw
from benefits.models.gift import Gift, GiftBlock
from benefits.models.group_gift import GroupGift, GroupPart
from benefits.models.hold import StockHold
from benefits.models.limit import Budget, BudgetShare, BudgetUse, Quota, QuotaCount, QuotaUse
from benefits.models.opening import OpeningHours, OpeningSpan
from benefits.models.pool import PoolSample, PoolWarning
from benefits.models.population import PopulationRun, RuleRequest
from benefits.models.provider import ProviderConfig
from benefits.models.provider_ending import ProviderEnding
from benefits.models.provider_message import ProviderMessage
from benefits.models.redemption import Redemption
from benefits.models.release import DropSchedule, Release, ReturnedSlot, SlotCounter
from benefits.models.rescue import Rescue
from benefits.models.rule import PriceRow, RuleVersion
from benefits.models.segment import (
    MemberTouch,
    Segment,
    SegmentEvent,
    SegmentMember,
    SegmentWatch,
)
from benefits.models.stamp import Stamp, StampBoard, StampChoice, StampSwap
from benefits.models.statement import ProviderStatement, ProviderStatementLine
from benefits.models.tag import MemberTag
from benefits.models.trial import Trial
from benefits.models.waitlist import WaitlistEntry
from benefits.models.wish import Wish, WishCall, WishMark, WishTouch

__all__ = [
    "Alarm",
    "Benefit",
    "BenefitEvent",
    "BenefitTerms",
    "BenefitText",
    "Budget",
    "BudgetShare",
    "BudgetUse",
    "BulkJob",
    "BulkRow",
    "Bundle",
    "BundleItem",
    "Claim",
    "ClaimEvent",
    "Code",
    "CodeBatch",
    "CodeImport",
    "CodeImportFault",
    "CodeImportPart",
    "CodeReport",
    "DrawEntry",
    "DropSchedule",
    "FairDraw",
    "Gift",
    "GiftBlock",
    "GroupGift",
    "GroupPart",
    "MemberTag",
    "MemberTouch",
    "OpeningHours",
    "OpeningSpan",
    "PoolSample",
    "PoolWarning",
    "PopulationRun",
    "PriceRow",
    "ProviderConfig",
    "ProviderEnding",
    "ProviderMessage",
    "ProviderStatement",
    "ProviderStatementLine",
    "Quota",
    "QuotaCount",
    "QuotaUse",
    "Redemption",
    "Release",
    "Rescue",
    "ReturnedSlot",
    "RuleRequest",
    "RuleVersion",
    "Segment",
    "SegmentEvent",
    "SegmentMember",
    "SegmentWatch",
    "SlotCounter",
    "Stamp",
    "StampBoard",
    "StampChoice",
    "StampSwap",
    "StockHold",
    "Trial",
    "WaitlistEntry",
    "Wish",
    "WishCall",
    "WishMark",
    "WishTouch",
]

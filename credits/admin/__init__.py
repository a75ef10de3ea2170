from credits.admin.adjust_batch import AdjustBatchAdmin
from credits.admin.adjustment import AdjustRequestAdmin
from credits.admin.books import AccountAdmin, EntryAdmin, HeldCreditsAdmin
from credits.admin.checkin import CheckInAdmin, CheckInTrackAdmin, StreakAdmin
from credits.admin.cost import UnitCostAdmin
from credits.admin.mission import MissionAdmin, MissionProgressAdmin
from credits.admin.rule import (
    EarnBonusAdmin,
    EarnDecisionAdmin,
    EarnEventAdmin,
    EarnPolicyAdmin,
    EarnRuleAdmin,
    ReferralAdmin,
)
from credits.admin.seal_watch import SealFindingAdmin
from credits.admin.standing import FreezeAdmin, KeptAccountAdmin
from credits.admin.tier import MemberTierAdmin, TierMoveAdmin, TierPlanAdmin

__all__ = [
    "AccountAdmin",
    "AdjustBatchAdmin",
    "AdjustRequestAdmin",
    "CheckInAdmin",
    "CheckInTrackAdmin",
    "EarnBonusAdmin",
    "EarnDecisionAdmin",
    "EarnEventAdmin",
    "EarnPolicyAdmin",
    "EarnRuleAdmin",
    "EntryAdmin",
    "FreezeAdmin",
    "HeldCreditsAdmin",
    "KeptAccountAdmin",
    "MemberTierAdmin",
    "MissionAdmin",
    "MissionProgressAdmin",
    "ReferralAdmin",
    "SealFindingAdmin",
    "StreakAdmin",
    "TierMoveAdmin",
    "TierPlanAdmin",
    "UnitCostAdmin",
]  # fmt: skip

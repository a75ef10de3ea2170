from credits.admin.books import AccountAdmin, EntryAdmin, HeldCreditsAdmin
from credits.admin.checkin import CheckInAdmin, CheckInTrackAdmin, StreakAdmin
from credits.admin.rule import EarnRuleAdmin
from credits.admin.tier import MemberTierAdmin, TierMoveAdmin, TierPlanAdmin

__all__ = [
    "AccountAdmin", "CheckInAdmin", "CheckInTrackAdmin", "EarnRuleAdmin", "EntryAdmin",
    "HeldCreditsAdmin", "MemberTierAdmin", "StreakAdmin", "TierMoveAdmin", "TierPlanAdmin",
]  # fmt: skip

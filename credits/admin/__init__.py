from credits.admin.books import AccountAdmin, EntryAdmin, HeldCreditsAdmin
from credits.admin.checkin import CheckInAdmin, CheckInTrackAdmin, StreakAdmin
from credits.admin.rule import EarnRuleAdmin

__all__ = [
    "AccountAdmin", "CheckInAdmin", "CheckInTrackAdmin", "EarnRuleAdmin", "EntryAdmin",
    "HeldCreditsAdmin", "StreakAdmin",
]  # fmt: skip

from credits.admin.books import AccountAdmin, EntryAdmin, HeldCreditsAdmin
from credits.admin.rule import EarnRuleAdmin

__all__ = ["AccountAdmin", "EarnRuleAdmin", "EntryAdmin", "HeldCreditsAdmin"]

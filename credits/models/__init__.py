from credits.models.books import Account, Entry, HeldCredits
from credits.models.rule import EarnRule

__all__ = ["Account", "EarnRule", "Entry", "HeldCredits"]

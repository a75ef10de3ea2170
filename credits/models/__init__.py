from credits.models.books import Account, Entry, HeldCredits
from credits.models.checkin import CheckIn, CheckInTrack, Streak
from credits.models.rule import EarnRule

__all__ = ["Account", "CheckIn", "CheckInTrack", "EarnRule", "Entry", "HeldCredits", "Streak"]

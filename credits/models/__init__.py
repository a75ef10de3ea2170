from credits.models.adjust_batch import AdjustBatch, AdjustRow
from credits.models.adjustment import AdjustRequest
from credits.models.apple import AppleAccountFirst
from credits.models.books import Account, Entry, HeldCredits
from credits.models.checkin import CheckIn, CheckInTrack, Streak
from credits.models.cost import UnitCost
from credits.models.event import EarnEvent, Invitation, Referral
from credits.models.expiry import ExpiryRound
from credits.models.mission import Mission, MissionProgress
from credits.models.policy import EarnBonus, EarnDecision, EarnPolicy
from credits.models.rule import EarnRule
from credits.models.seal_watch import SealFinding, SealWatch
from credits.models.standing import Freeze, KeptAccount
from credits.models.tier import MemberTier, Tier, TierMove, TierPlan

__all__ = [
    "Account",
    "AdjustBatch",
    "AdjustRequest",
    "AdjustRow",
    "AppleAccountFirst",
    "CheckIn",
    "CheckInTrack",
    "EarnBonus",
    "EarnDecision",
    "EarnEvent",
    "EarnPolicy",
    "EarnRule",
    "Entry",
    "ExpiryRound",
    "Freeze",
    "HeldCredits",
    "Invitation",
    "KeptAccount",
    "MemberTier",
    "Mission",
    "MissionProgress",
    "Referral",
    "SealFinding",
    "SealWatch",
    "Streak",
    "Tier",
    "TierMove",
    "TierPlan",
    "UnitCost",
]

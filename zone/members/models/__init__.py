from zone.members.models.binding import Binding, BindingAttempt, BindingStep
from zone.members.models.member import Consent, Member, MemberSession, WalletIdentity
from zone.members.models.visit import WalletVisit
from zone.members.models.wallet import Wallet

__all__ = [
    "Binding",
    "BindingAttempt",
    "BindingStep",
    "Consent",
    "Member",
    "MemberSession",
    "Wallet",
    "WalletIdentity",
    "WalletVisit",
]

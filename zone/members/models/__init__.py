from zone.members.models.binding import Binding, BindingAttempt, BindingStep
from zone.members.models.erasure import Erasure
from zone.members.models.failure import BindFailureReason
from zone.members.models.member import Consent, Member, MemberSession, WalletIdentity
from zone.members.models.partner_member import PartnerMember
from zone.members.models.visit import WalletVisit
from zone.members.models.wallet import Wallet

__all__ = [
    "BindFailureReason",
    "Binding",
    "BindingAttempt",
    "BindingStep",
    "Consent",
    "Erasure",
    "Member",
    "MemberSession",
    "PartnerMember",
    "Wallet",
    "WalletIdentity",
    "WalletVisit",
]

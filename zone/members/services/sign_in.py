"""Signing in through a wallet: away with a state, back with the wallet's word."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from zone.members.errors import ConsentMissing, MemberSuspended, WalletClosed, WalletSaidNo
from zone.members.models import Member, Wallet, WalletVisit
from zone.members.services import arrivals, bindings, consents, sessions, visits
from zone.members.services.identities import enrol_member
from zone.members.wallets import connector_for
from zone.members.wallets.base import Departure


@dataclass(frozen=True, slots=True)
class SignedIn:
    member: Member
    is_new: bool
    opened: sessions.OpenedSession
    next_path: str


def start_sign_in(
    *,
    wallet: Wallet,
    is_agreed: bool,
    wants_messages: bool,
    browser_key: str,
    return_to: str,
    language: str,
    next_path: str,
    evidence: dict[str, Any],
    now: datetime,
) -> str:
    """The wallet's address for somebody who agreed to the terms.

    Raises ConsentMissing, WalletClosed.
    """
    if not is_agreed:
        raise ConsentMissing
    if not wallet.is_open:
        raise WalletClosed(wallet=wallet.local_name)
    connector = connector_for(wallet)
    purposes = [str(purpose) for purpose in consents.BASIC_PURPOSES]
    if wants_messages:
        purposes.append("marketing")
    state = visits.begin_visit(
        wallet=wallet,
        purpose=WalletVisit.Purpose.SIGN_IN,
        browser_key=browser_key,
        now=now,
        next_path=next_path,
        facts={
            "purposes": purposes,
            "policy_version": consents.POLICY_VERSION,
            "language": language,
            "evidence": evidence,
            "agreed_at": now.isoformat(),
        },
    )
    return connector.start(
        Departure(
            wallet_code=wallet.code,
            purpose=WalletVisit.Purpose.SIGN_IN.value,
            state=state,
            return_to=return_to,
            language=language,
        )
    )


def preview_sign_in(*, params: dict[str, str], browser_key: str, now: datetime) -> visits.Returned:
    """What a return says, before it is used. Changes nothing.

    Raises WalletReturnExpired, WalletReturnRefused, WalletSaidNo with the reason.
    """
    returned = visits.read_return(
        params=params, purpose=WalletVisit.Purpose.SIGN_IN, browser_key=browser_key, now=now
    )
    if not returned.answer.is_agreed:
        raise WalletSaidNo(reason=returned.answer.failure_reason)
    return returned


def finish_sign_in(
    *,
    params: dict[str, str],
    browser_key: str,
    now: datetime,
    host: str = "browser",
    device: str = "",
) -> SignedIn:
    """Sign the person of a return in: enrolled if new, consents written, a new session opened.

    The state is used up first, so of two tabs one signs in; whatever fails afterwards costs a
    fresh trip and leaves nothing behind.

    Raises WalletReturnExpired, WalletReturnRefused, WalletSaidNo, MemberSuspended,
    WalletUnavailable.
    """
    returned = preview_sign_in(params=params, browser_key=browser_key, now=now)
    visit = returned.visit
    visits.consume_visit(visit, now)
    identity = connector_for(visit.wallet).fetch_identity(
        wallet_code=visit.wallet_id, auth_code=returned.answer.auth_code
    )
    member, is_new = enrol_member(
        wallet=visit.wallet,
        user_id=identity.user_id,
        joined_at=now,
        language=visit.facts["language"],
        storefront=identity.storefront,
        display_name=identity.display_name,
        person_token=identity.person_token,
        is_adult=identity.is_adult,
    )
    if not member.may_sign_in:
        raise MemberSuspended
    consents.give_consents(
        member=member,
        purposes=visit.facts["purposes"],
        policy_version=visit.facts["policy_version"],
        language=visit.facts["language"],
        evidence={**visit.facts["evidence"], "agreed_at": visit.facts["agreed_at"]},
        now=now,
    )
    is_first = arrivals.note_arrival(member=member, identity=identity, now=now)
    bindings.adopt_agreement(member=member, user_id=identity.user_id, now=now)
    opened = sessions.open_session(member=member, now=now, host=host, device=device)
    return SignedIn(member, is_new or is_first, opened, visit.next_path)

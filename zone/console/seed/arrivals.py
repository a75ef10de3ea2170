"""People join, agree, try to bind, bind and unbind, as the sandbox wallet would have told."""

from datetime import datetime, timedelta

from zone.console.seed.people import Person
from zone.console.seed.prices import STOREFRONT
from zone.console.seed.travel import travel_to
from zone.members.models import Binding, Consent, Member, Wallet
from zone.members.sandbox.models import SandboxAccount, SandboxAgreement
from zone.members.sandbox.services.accounts import ensure_account
from zone.members.sandbox.services.agreements import change_agreement, sign_agreement
from zone.members.services import attempts
from zone.members.services.arrivals import note_arrival
from zone.members.services.bindings import record_report
from zone.members.services.consents import BASIC_PURPOSES, give_consents
from zone.members.services.identities import enrol_member
from zone.members.wallets.base import AgreementReport, Identity


def join(person: Person, wallet: Wallet) -> tuple[Member, SandboxAccount]:
    """A sandbox account and the member it signs in as, since `joined_at`."""
    travel_to(person.joined_at)
    account = ensure_account(
        wallet=wallet,
        user_id=person.user_id,
        display_name=person.name,
        language=person.language,
        is_adult=person.is_adult,
        storefront=STOREFRONT[person.wallet],
        note=person.why,
    )
    member, _is_new = enrol_member(
        wallet=wallet,
        user_id=person.user_id,
        joined_at=person.joined_at,
        language=person.language,
        storefront=STOREFRONT[person.wallet],
        display_name=person.name,
        is_adult=person.is_adult,
    )
    dice = person.dice("consents")
    purposes = [*BASIC_PURPOSES]
    if dice.random() < 0.45:
        purposes.append(Consent.Purpose.MARKETING)
    if dice.random() < 0.6:
        purposes.append(Consent.Purpose.PERSONALISATION)
    give_consents(
        member=member,
        purposes=purposes,
        language=person.language,
        evidence={"page": "welcome"},
        now=person.joined_at,
    )
    identity = Identity(
        user_id=person.user_id,
        display_name=person.name,
        language=person.language,
        storefront=STOREFRONT[person.wallet],
        is_adult=person.is_adult,
    )
    note_arrival(member=member, identity=identity, now=person.joined_at)
    return member, account


def lose_tries(person: Person, member: Member) -> None:
    """Tries that led nowhere, each with the steps it got to and the reason it ended."""
    for at, reason in person.lost_tries:
        travel_to(at)
        attempt = attempts.open_attempt(
            member=member, now=at, entry=person.entry, device_os=person.device_os
        )
        attempts.note_step_viewed(attempt, "open_settings", at + timedelta(seconds=4))
        attempts.note_step(attempt, attempts.LEFT_FOR_WALLET, at + timedelta(seconds=9))
        attempts.note_step(attempt, attempts.FAILED, at + timedelta(seconds=31), {"reason": reason})
        type(attempt).objects.filter(pk=attempt.pk).update(failure_reason=reason)
        attempts.close_idle_attempts(now=at + timedelta(hours=1), member=member)


def bind(person: Person, member: Member, account: SandboxAccount, wallet: Wallet) -> None:
    """A try that worked: guide, wallet, and the wallet's word that the agreement is on."""
    if person.bound_at is None:
        return
    dice = person.dice("binding")
    began = person.bound_at - timedelta(seconds=dice.uniform(25, 110))
    travel_to(person.bound_at)
    attempt = attempts.open_attempt(
        member=member, now=began, entry=person.entry, device_os=person.device_os
    )
    guide = {"step": "open_settings"}
    attempts.note_step(attempt, attempts.STEP_VIEWED, began + timedelta(seconds=5), guide)
    attempts.note_step(attempt, attempts.LEFT_FOR_WALLET, began + timedelta(seconds=11))
    attempts.note_step(attempt, attempts.RETURNED, person.bound_at - timedelta(seconds=2))
    agreement = sign_agreement(account=account, now=person.bound_at)
    _report(person, wallet, agreement, Binding.Status.ACTIVE, person.bound_at)


def unbind(person: Person, account: SandboxAccount, wallet: Wallet) -> None:
    """The person ended the agreement in the wallet, and the wallet said so."""
    if person.unbound_at is None:
        return
    travel_to(person.unbound_at)
    agreement = account.agreements.latest("signed_at")
    change_agreement(
        agreement=agreement, status=SandboxAgreement.Status.UNSIGN, now=person.unbound_at
    )
    _report(person, wallet, agreement, Binding.Status.UNBOUND, person.unbound_at)


def _report(
    person: Person, wallet: Wallet, agreement: SandboxAgreement, status: str, at: datetime
) -> None:
    record_report(
        wallet=wallet,
        report=AgreementReport(
            user_id=person.user_id,
            status=status,
            occurred_at=at,
            agreement_reference=agreement.agreement_no,
            account_masked=agreement.account.account_masked,
        ),
    )

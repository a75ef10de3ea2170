"""Who is in time: claimed and answered in one round trip to the gate and one to the database.

Once a second a winner is served by the page. What that showed is used for the others of the same
second: the release as it was read, and the headers of the answer. Everything about a member is read
in the statement that claims: the session, whether the member may act, what the rules look at. What
the rules look at is judged by the rules, once for each combination, before anybody in it is served;
until then, and whenever the release is another than it was, nothing is claimed.

What is not plain goes on to the page, before the claim or after it: a claim that was made is found
there again by its operation, as a retry's is.
"""

import logging
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from django.core.exceptions import DisallowedHost
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse

from benefits import claim_sql, rules
from benefits.errors import Busy
from benefits.form_tokens import FormTokens
from benefits.forms import ClaimForm
from benefits.gate import gate
from benefits.models import Claim, Release
from benefits.rush.asked import Answer, Asked
from benefits.services.pools import open_sealed
from benefits.views.offer import words_for
from benefits.views.panels import PANEL_SECONDS, Winning, won_panel
from zone.core.ids import new_public_id
from zone.core.vault import VaultError
from zone.members.middleware import supported_language
from zone.members.models import Binding, Member, Wallet

WON = "benefits.rush.won"  # Set by the page when its answer is this one: what it served, as `Won`.
_OFFERS_MAX = 500
_POSITIONS_MAX = 200

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Won:
    """What the page read of a release for a member who won a code of it, and nothing barred."""

    release: Release
    version: str
    rule_id: int | None


@dataclass(slots=True)
class Offer:
    """A release that is being claimed right now."""

    won: Won
    answer: Answer
    until: float
    # Positions that the rules let in.
    positions: list[str] = field(default_factory=list)


class Winners:
    """The releases of which the page served a winner within the last second."""

    def __init__(self) -> None:
        self.offers: dict[tuple[object, ...], Offer] = {}

    def keep(self, asked: Asked, answer: Answer) -> None:
        """The page served a winner, with this answer."""
        if len(self.offers) >= _OFFERS_MAX:
            self.offers.clear()
        won: Won = asked.environ[WON]
        own = {"content-language", "content-length"}
        everyones = [header for header in answer.headers if header[0].lower() not in own]
        answer = replace(answer, headers=everyones)
        self.offers[asked.place] = Offer(won, answer, time.monotonic() + PANEL_SECONDS)

    def claim(self, asked: Asked) -> Answer | None:
        """The answer to a winner, claimed and shown; None for the page to answer."""
        offer = self.offers.get(asked.place)
        if offer is None or offer.until < time.monotonic():
            return None
        operation = ClaimForm.read(asked.form)
        token_hash = asked.hash_session()
        if operation is None or token_hash is None or not _is_our_form(asked):
            return None
        release = offer.won.release
        if gate.is_sold_out(release.pk):
            return None
        try:
            gate.admit(release_id=release.pk, stock=release.stock, visitor=token_hash.hex())
            return self._serve(offer, token_hash, *operation)
        except (Busy, Error, VaultError) as reason:
            log.info("a claim goes on to the page", extra={"why": type(reason).__name__})
            return None
        finally:
            connection.close_if_unusable_or_obsolete()  # As at the end of every request.

    def _serve(self, offer: Offer, token_hash: bytes, op_id: UUID, price: int) -> Answer | None:
        won = offer.won
        for _ in range(2):
            public_id = new_public_id("clm")
            rushed = claim_sql.rush(
                session_hash=token_hash,
                release_id=won.release.pk,
                version=won.version,
                rule_id=won.rule_id,
                positions=offer.positions,
                op_id=op_id,
                public_id=public_id,
                price=price,
            )
            if rushed is not None and rushed.code == "ok":
                return _say(offer, rushed, public_id)
            if rushed is None or rushed.code != "judge":
                return None
            if not _lets_in(won.release, rushed.position):
                return None
            if len(offer.positions) >= _POSITIONS_MAX:
                offer.positions.clear()
            offer.positions.append(rushed.position)
        return None


def _lets_in(release: Release, position: str) -> bool:
    """Whether the rules let a member in who stands there. Whoever asks is active and not frozen."""
    (wallet, livemode, is_adult, storefront, status, bound_at, is_valid) = position.split("|")
    member = Member(
        pk=0,
        wallet=Wallet(code=wallet, livemode=livemode == "t"),
        storefront=storefront,
        is_adult=is_adult == "t",
        status=Member.Status.ACTIVE,
    )
    binding = Binding(status=status, storefront=bound_at) if status and is_valid == "t" else None
    facts = rules.facts_with(member, binding, now=datetime.min.replace(tzinfo=UTC))
    return rules.find_member_refusal(benefit=release.benefit, facts=facts) is None


def _say(offer: Offer, rushed: claim_sql.Rushed, public_id: str) -> Answer:
    """The panel, with the headers that the page gave it. Raises VaultError."""
    assert rushed.sealed is not None  # noqa: S101  What is ok has its code beside it.
    language = supported_language(rushed.language)
    winning = Winning(
        public_id=public_id,
        version=offer.won.version,
        language=language,
        words=words_for(rushed.language, country=rushed.country, active=language),
        time_zone=rushed.time_zone,
        price_credits=rushed.price_credits,
        valid_until=rushed.valid_until,
    )
    panel = won_panel(
        winning, open_sealed(rushed.sealed), partial(_read_claim, offer.won.release, public_id)
    )
    body = panel.encode()
    headers = [*offer.answer.headers, ("Content-Language", language)]
    return Answer(offer.answer.status, [*headers, ("Content-Length", str(len(body)))], body)


def _read_claim(release: Release, public_id: str) -> Claim:
    claim = Claim.objects.select_related("member__wallet", "terms").get(public_id=public_id)
    claim.release, claim.benefit = release, release.benefit
    return claim


class _Form(HttpRequest):
    """As much of a request as Django's check of a form token looks at."""

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self.method = "POST"
        self.META = dict(asked.environ)
        self.COOKIES = asked.cookies
        self.POST = asked.form  # type: ignore[assignment]

    def _get_scheme(self) -> str:
        return str(self.META["wsgi.url_scheme"])


def _is_our_form(asked: Asked) -> bool:
    request = _Form(asked)
    try:
        _form_tokens.process_request(request)
        return _form_tokens.process_view(request, _nothing, (), {}) is None
    except DisallowedHost:
        return False


def _nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


_form_tokens = FormTokens(_nothing)

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
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from django.core.exceptions import DisallowedHost
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse

from benefits import rules, rush_sql
from benefits.errors import Busy
from benefits.form_tokens import FormTokens
from benefits.forms import ClaimForm
from benefits.gate import gate
from benefits.models import Claim, Release
from benefits.rush.asked import Answer, Asked, Position
from benefits.rush.gone import OWNED, RENEWAL_SECONDS, blank_own, say_own
from benefits.rush.together import Together
from benefits.rush_sql import Press, Rushed, Seen
from benefits.services.pools import open_sealed
from benefits.views.offer import words_for
from benefits.views.panels import PANEL_SECONDS, Winning, won_panel
from zone.core.ids import new_public_id
from zone.core.vault import VaultError
from zone.members.middleware import supported_language
from zone.members.models import Binding, Member, Wallet

WON = "benefits.rush.won"  # Set by the page when its answer is this one: what it served, as `Won`.
_KEPT_MAX = 500
_POSITIONS_MAX = 200
_AT_MOST = 16  # claims in one commit: all wait for the slowest, and for each other's locks

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
    positions: list[str] = field(default_factory=list)  # Those that the rules let in.
    is_renewed: bool = False  # Its time is over, and somebody is at the page for a new one.
    is_plain: bool = True  # Until the database says that its members have to ask alone.

    def seen(self) -> Seen:
        won = self.won
        return Seen(won.release.pk, won.version, won.rule_id, self.positions)

    def claim_all(self, presses: Sequence[Press]) -> Sequence[Rushed | Busy | None]:
        """What becomes of presses of the same moment; None in the place of who has to ask alone."""
        release = self.won.release
        told: list[Rushed | Busy | None] = [
            None if is_in else Busy()
            for is_in in gate.admit_all(
                release_id=release.pk,
                stock=release.stock,
                visitors=[press.session_hash.hex() for press in presses],
            )
        ]
        # Who presses twice at once would undo it for all: the second asks alone, behind the first.
        first = {press.session_hash: nth for nth, press in reversed([*enumerate(presses)])}
        inside = [nth for nth, one in enumerate(told) if one is None and nth in first.values()]
        if not self.is_plain or not inside:
            return told
        try:
            rushed = rush_sql.rush_together(self.seen(), [presses[nth] for nth in inside])
        except Error as reason:  # Nothing was claimed: each of them asks alone.
            log.info("claims go on one by one", extra={"why": type(reason).__name__})
            return told
        self.is_plain = rushed is not None
        for nth, one in zip(inside, rushed or (), strict=False):
            told[nth] = one
        return told


def _claim_all(presses: Sequence[tuple[Offer, Press]]) -> list[Rushed | Busy | None]:
    """What becomes of presses of the same moment, release by release."""
    told: list[Rushed | Busy | None] = [None] * len(presses)
    for offer in {id(offer): offer for offer, _ in presses}.values():
        places = [nth for nth, (own, _) in enumerate(presses) if own is offer]
        rushed = offer.claim_all([presses[nth][1] for nth in places])
        for nth, one in zip(places, rushed, strict=True):
            told[nth] = one
    return told


class Winners:
    """The releases of which the page served a winner within the last second."""

    def __init__(self) -> None:
        self.offers: dict[Position, Offer] = {}
        # The last of each place: whoever won by it may ask again after the rush.
        self.last: dict[Position, Offer] = {}
        # What the page told those who had it already, with a blank for their claim.
        self.owned: dict[Position, tuple[float, Answer]] = {}
        self.presses: Together[tuple[Offer, Press], Rushed | Busy] = Together(
            _claim_all, at_most=_AT_MOST
        )

    def keep(self, asked: Asked, owner: Position | None, answer: Answer) -> None:
        """The page served a winner, or somebody who stands where `owner` says, with this answer."""
        until = time.monotonic() + PANEL_SECONDS
        if (won := asked.environ.get(WON)) is not None:
            if len(self.offers) >= _KEPT_MAX:
                self.offers.clear()
            if len(self.last) >= _KEPT_MAX:
                self.last.clear()
            own = {"content-language", "content-length"}
            everyones = [header for header in answer.headers if header[0].lower() not in own]
            offer = Offer(won, replace(answer, headers=everyones), until)
            self.offers[asked.place] = self.last[asked.place] = offer
        elif owner is not None and ("Content-Language", owner[-1]) in answer.headers:
            if len(self.owned) >= _KEPT_MAX:
                self.owned.clear()
            self.owned[owner] = (until, blank_own(answer, asked.environ[OWNED]))

    def claim(self, asked: Asked) -> tuple[Position | None, Answer | None]:
        """The answer to a winner, claimed and shown, or to who has one already.

        Without an answer the page answers; the position is where somebody stands who has one.
        """
        offer = self.offers.get(asked.place)
        if offer is None:
            return None, None
        if (now := time.monotonic()) > offer.until:
            if offer.is_renewed:  # And yet the page served no winner: the rush is over.
                self.offers.pop(asked.place, None)
            offer.is_renewed, offer.until = True, now + RENEWAL_SECONDS
            return None, None  # One goes to the page, the others need not wait for it.
        press = _read_press(asked)
        if press is None or gate.is_sold_out(offer.won.release.pk):
            return None, None
        try:
            return self._serve(offer, asked, press)
        except Busy:
            return None, None
        except (Error, VaultError) as reason:
            log.info("a claim goes on to the page", extra={"why": type(reason).__name__})
            return None, None
        finally:
            connection.close_if_unusable_or_obsolete()  # As at the end of every request.

    def say_again(self, asked: Asked) -> Answer | None:
        """The answer to a press that claimed before, and whose answer may have been lost."""
        offer = self.last.get(asked.place)
        press = _read_press(asked) if offer is not None else None
        if offer is None or press is None:
            return None
        try:
            rushed = rush_sql.rush_again(offer.seen(), press)
            return None if rushed is None else _say(offer, rushed)
        except (Error, VaultError) as reason:
            log.info("a retry goes on to the page", extra={"why": type(reason).__name__})
            return None
        finally:
            connection.close_if_unusable_or_obsolete()

    def _serve(
        self, offer: Offer, asked: Asked, press: Press
    ) -> tuple[Position | None, Answer | None]:
        told = self.presses.ask((offer, press))
        if isinstance(told, Busy):
            raise told
        rushed = told or rush_sql.rush(offer.seen(), press)
        if rushed is not None and rushed.code == "judge":
            if not _lets_in(offer.won.release, rushed.position):
                return None, None
            if len(offer.positions) >= _POSITIONS_MAX:
                offer.positions.clear()
            offer.positions.append(rushed.position)
            rushed = rush_sql.rush(offer.seen(), press)
        if rushed is None:
            return None, None
        if rushed.code == "ok":
            return None, _say(offer, rushed)
        if rushed.held_id is not None:
            owner = (
                *asked.place,
                offer.won.version,
                rushed.position,
                rushed.country,
                # Last: who changed it meanwhile was answered in another.
                supported_language(rushed.language),
            )
            return owner, self._say_owned(owner, rushed.held_id)
        if rushed.code == "limit_reached":  # By this very press, most likely.
            return None, self.say_again(asked)
        return None, None

    def _say_owned(self, owner: Position, held_id: str) -> Answer | None:
        until, answer = self.owned.get(owner, (0.0, None))
        if answer is None or until < time.monotonic():
            return None
        return say_own(answer, held_id)


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


def _say(offer: Offer, rushed: Rushed) -> Answer:
    """The panel, with the headers that the page gave it. Raises VaultError."""
    assert rushed.sealed is not None  # noqa: S101  What is ok has its code beside it.
    language = supported_language(rushed.language)
    winning = Winning(
        public_id=rushed.public_id,
        version=offer.won.version,
        language=language,
        words=words_for(rushed.language, country=rushed.country, active=language),
        time_zone=rushed.time_zone,
        price_credits=rushed.price_credits,
        valid_from=rushed.valid_from,
        valid_until=rushed.valid_until,
    )
    panel = won_panel(
        winning,
        open_sealed(rushed.sealed),
        partial(_read_claim, offer.won.release, rushed.public_id),
    )
    body = panel.encode()
    headers = [*offer.answer.headers, ("Content-Language", language)]
    return Answer(offer.answer.status, [*headers, ("Content-Length", str(len(body)))], body)


def _read_claim(release: Release, public_id: str) -> Claim:
    claim = Claim.objects.select_related("member__wallet", "terms").get(public_id=public_id)
    claim.release, claim.benefit = release, release.benefit
    return claim


def _read_press(asked: Asked) -> Press | None:
    """What was pressed, by whom; None for a form that is not ours or not whole."""
    operation = ClaimForm.read(asked.form)
    token_hash = asked.hash_session()
    if operation is None or token_hash is None or not _is_our_form(asked):
        return None
    op_id, price = operation
    return Press(token_hash, op_id, new_public_id("clm"), price)


class _Form(HttpRequest):
    """As much of a request as Django's check of a form token looks at."""

    def __init__(self, asked: Asked) -> None:  # Not its parent's, which reads more than that.
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

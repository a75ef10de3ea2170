"""Every kind of condition once: its values, how it is read from JSON, and how it is said.

The builder draws its fields from this table and the JSON door checks by it, so that a rule means
the same whichever way it was written.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from benefits.conditions.leaves import (
    Adult,
    Bought,
    BoundFor,
    LanguageIs,
    Leaf,
    Spent,
    StorefrontIs,
    Subscribed,
    WalletIs,
)
from benefits.conditions.membership import (
    EXPERIMENT_PARTS,
    Claimed,
    InExperiment,
    InSegment,
    OnDevices,
    Tagged,
    TierIs,
)
from benefits.conditions.snapshot import WINDOW_DAYS_MAX
from zone.core.money import format_money

WORDS_MAX = 200
WORD_CHARS_MAX = 80
CURRENCIES = ("CNY", "HKD", "PHP")

# What a code of a list is called in the reader's language: (list, code) → name.
Names = Callable[[str, str], str]
Values = dict[str, Any]
Text = str | Promise


class BadLeaf(Exception):
    """A condition's values cannot be read; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Input:
    """One value of a condition. `kind`: words, word, number, or money in minor units."""

    name: str
    label: Text
    kind: str
    choices: str = ""  # The list that its words come from, for the builder.
    least: int = 0
    most: int = 0
    allowed: tuple[str, ...] = ()
    is_required: bool = True

    def read(self, values: Values) -> Any:
        """The value taken out of `values`; None for an optional one that is not there."""
        if not self.is_required and self.name not in values:
            return None
        found = values.pop(self.name, None)
        if self.kind == "words":
            if not self._are_words(found):
                raise BadLeaf(_("“%(name)s” must be a list of words.") % {"name": self.name})
            return tuple(found)
        if self.kind == "word":
            if not self._is_word(found) or (self.allowed and found not in self.allowed):
                raise BadLeaf(_("“%(name)s” has a value it cannot have.") % {"name": self.name})
            return found
        is_number = isinstance(found, int) and not isinstance(found, bool)
        if not is_number or not self.least <= found <= self.most:
            raise BadLeaf(
                _("“%(name)s” must be a whole number from %(least)s to %(most)s.")
                % {"name": self.name, "least": self.least, "most": self.most}
            )
        return found

    @staticmethod
    def _is_word(found: Any) -> bool:
        return isinstance(found, str) and 0 < len(found) <= WORD_CHARS_MAX

    def _are_words(self, found: Any) -> bool:
        return (
            isinstance(found, list)
            and 0 < len(found) <= WORDS_MAX
            and all(self._is_word(item) for item in found)
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of condition. `needs_one_of`: optional values of which at least one is given."""

    name: str
    label: Text
    inputs: tuple[Input, ...]
    make: Callable[[Values], Leaf]
    say: Callable[[Values, Names], str]
    help: Text = ""
    needs_one_of: tuple[str, ...] = ()


def read_leaf(node: Values) -> Leaf:
    """A condition from its JSON object. Raises BadLeaf; nothing unknown is let pass."""
    kind, values = _read(node)
    return kind.make(values)


def say_leaf(node: Values, names: Names) -> str:
    """A condition in plain words, in the language in force. Raises BadLeaf as reading does."""
    kind, values = _read(node)
    return kind.say(values, names)


def _read(node: Values) -> tuple[Kind, Values]:
    rest = dict(node)
    name = rest.pop("is", None)
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise BadLeaf(_("There is no condition “%(kind)s”.") % {"kind": name})
    values = {each.name: each.read(rest) for each in kind.inputs}
    if rest:
        raise BadLeaf(
            _("“%(kind)s” does not know: %(names)s.")
            % {"kind": name, "names": ", ".join(sorted(map(str, rest)))}
        )
    if kind.needs_one_of and all(values[name] is None for name in kind.needs_one_of):
        raise BadLeaf(
            _("“%(kind)s” needs one of: %(names)s.")
            % {"kind": name, "names": ", ".join(kind.needs_one_of)}
        )
    return kind, values


def _any_of(names: Names, source: str, codes: tuple[str, ...]) -> str:
    said = [names(source, code) for code in codes]
    if len(said) == 1:
        return said[0]
    return _("%(some)s or %(last)s") % {"some": _(", ").join(said[:-1]), "last": said[-1]}


def _say_bound(values: Values, names: Names) -> str:
    days = values["days"]
    if not days:
        return _("has linked an Apple account")
    return ngettext(
        "has had an Apple account linked for %(days)s day or longer",
        "has had an Apple account linked for %(days)s days or longer",
        days,
    ) % {"days": days}


def _say_purchases(values: Values, names: Names) -> str:
    return ngettext(
        "made %(count)s purchase or more at Apple in the last %(days)s days",
        "made %(count)s purchases or more at Apple in the last %(days)s days",
        values["count"],
    ) % {"count": values["count"], "days": values["days"]}


def _say_spending(values: Values, names: Names) -> str:
    # The second language of format_money only places the sign; English does for both of ours.
    amount = format_money(values["amount"], values["currency"], "en")
    return _("spent %(amount)s or more at Apple in the last %(days)s days") % {
        "amount": amount,
        "days": values["days"],
    }


def _say_subscription(values: Values, names: Names) -> str:
    return {
        "open": _("subscribes to %(service)s"),
        "never": _("never had %(service)s"),
        "ever": _("has or had %(service)s"),
        "lapsed": _("had %(service)s, and has it no more"),
    }[values["state"]] % {"service": names("services", values["service"])}


def _say_claims(values: Values, names: Names) -> str:
    benefit = values.get("benefit")
    what = names("benefits", benefit) if benefit else _("any benefit")
    least, most, days = values["least"], values["most"], values["days"]
    if least is not None and most is not None:
        said = _("holds %(least)s to %(most)s claims of %(what)s")
    elif least is not None:
        said = _("holds %(least)s or more claims of %(what)s")
    else:
        said = _("holds %(most)s or fewer claims of %(what)s")
    said = said % {"least": least, "most": most, "what": what}
    if days is None:
        return said
    return _("%(said)s, made in the last %(days)s days") % {"said": said, "days": days}


def _say_tier(values: Values, names: Names) -> str:
    least, most = (
        names("tiers", values[name]) if values[name] else "" for name in ("least", "most")
    )
    if least and most:
        return _("is of a tier from %(least)s to %(most)s") % {"least": least, "most": most}
    if least:
        return _("has reached %(tier)s") % {"tier": least}
    return _("is of %(tier)s or a tier below") % {"tier": most}


def _say_devices(values: Values, names: Names) -> str:
    return ngettext(
        "was seen on %(most)s device at most in the last %(days)s days",
        "was seen on %(most)s devices at most in the last %(days)s days",
        values["most"],
    ) % {"most": values["most"], "days": values["days"]}


def _make_experiment(values: Values) -> Leaf:
    if values["first"] > values["last"]:
        raise BadLeaf(_("“%(name)s” ends before it begins.") % {"name": "experiment"})
    return InExperiment(values["key"], values["first"], values["last"])


def _say_experiment(values: Values, names: Names) -> str:
    return _("is in the parts %(first)s to %(last)s of %(parts)s of the experiment “%(key)s”") % {
        **values, "parts": EXPERIMENT_PARTS,
    }  # fmt: skip


_DAYS = Input("days", gettext_lazy("in the last days"), "number", least=1, most=WINDOW_DAYS_MAX)
_LEAST = Input("least", gettext_lazy("at least"), "number", most=1000, is_required=False)
_MOST = Input("most", gettext_lazy("at most"), "number", most=1000, is_required=False)
_IN_DAYS = Input(
    "days", gettext_lazy("in the last days (empty: ever)"), "number",
    least=1, most=WINDOW_DAYS_MAX, is_required=False,
)  # fmt: skip

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "wallet", gettext_lazy("Wallet"),
            (Input("of", gettext_lazy("one of"), "words", "wallets"),),
            lambda values: WalletIs(values["of"]),
            lambda values, names: _("pays with %(wallets)s")
            % {"wallets": _any_of(names, "wallets", values["of"])},
        ),
        Kind(
            "storefront", gettext_lazy("Region of the Apple account"),
            (Input("of", gettext_lazy("one of"), "words", "storefronts"),),
            lambda values: StorefrontIs(values["of"]),
            lambda values, names: _("has an Apple account of %(regions)s")
            % {"regions": _any_of(names, "storefronts", values["of"])},
            help=gettext_lazy("Codes of three letters (ISO 3166-1), with a comma between them."),
        ),
        Kind(
            "language", gettext_lazy("Language"),
            (Input("of", gettext_lazy("one of"), "words", "languages"),),
            lambda values: LanguageIs(values["of"]),
            lambda values, names: _("reads %(languages)s")
            % {"languages": _any_of(names, "languages", values["of"])},
        ),
        Kind(
            "adult", gettext_lazy("Adult"), (),
            lambda values: Adult(), lambda values, names: _("is an adult"),
        ),
        Kind(
            "bound", gettext_lazy("Age of the binding"),
            (Input("days", gettext_lazy("days at least"), "number", most=3660),),
            lambda values: BoundFor(values["days"]), _say_bound,
            help=gettext_lazy("0: bound, from the first moment."),
        ),
        Kind(
            "purchases", gettext_lazy("Number of purchases"),
            (Input("count", gettext_lazy("at least"), "number", least=1, most=1000), _DAYS),
            lambda values: Bought(values["count"], values["days"]), _say_purchases,
            help=gettext_lazy("Paid, and not refunded in full."),
        ),
        Kind(
            "spending", gettext_lazy("Sum of purchases"),
            (
                Input("amount", gettext_lazy("at least"), "money", least=1, most=10**9),
                Input(
                    "currency", gettext_lazy("currency"), "word", "currencies", allowed=CURRENCIES
                ),
                _DAYS,
            ),
            lambda values: Spent(values["amount"], values["currency"], values["days"]),
            _say_spending,
            help=gettext_lazy("What is left after refunds. Currencies are never added together."),
        ),
        Kind(
            "subscription", gettext_lazy("Subscription"),
            (
                Input("service", gettext_lazy("service"), "word", "services"),
                Input(
                    "state", gettext_lazy("state"), "word", "states", allowed=Subscribed.STATES
                ),
            ),
            lambda values: Subscribed(values["service"], values["state"]), _say_subscription,
        ),
        Kind(
            "segment", gettext_lazy("Segment"),
            (Input("of", gettext_lazy("segment"), "word", "segments"),),
            lambda values: InSegment(values["of"]),
            lambda values, names: _("is in the segment %(segment)s")
            % {"segment": names("segments", values["of"])},
        ),
        Kind(
            "tag", gettext_lazy("Tag"),
            (Input("of", gettext_lazy("tag"), "word", "tags"),),
            lambda values: Tagged(values["of"]),
            lambda values, names: _("has the tag %(tag)s") % {"tag": names("tags", values["of"])},
            help=gettext_lazy("A word that operators put on members one by one."),
        ),
        Kind(
            "experiment", gettext_lazy("Arm of an experiment"),
            (
                Input("key", gettext_lazy("experiment"), "word"),
                Input(
                    "first", gettext_lazy("from part"), "number", least=1, most=EXPERIMENT_PARTS
                ),
                Input("last", gettext_lazy("to part"), "number", least=1, most=EXPERIMENT_PARTS),
            ),
            _make_experiment, _say_experiment,
            help=gettext_lazy(
                "Members are divided into a thousand equal parts, for good and for each experiment"
                " anew: 1 to 500 is one half, 501 to 1000 the other."
            ),
        ),
        Kind(
            "tier", gettext_lazy("Tier"),
            (
                Input("least", gettext_lazy("from"), "word", "tiers", is_required=False),
                Input("most", gettext_lazy("up to"), "word", "tiers", is_required=False),
            ),
            lambda values: TierIs(values["least"] or "", values["most"] or ""), _say_tier,
            help=gettext_lazy("By the plan in force. Leave one of the two empty."),
            needs_one_of=("least", "most"),
        ),
        Kind(
            "claimed", gettext_lazy("Claims of one benefit"),
            (
                Input("benefit", gettext_lazy("benefit"), "word", "benefits"),
                _LEAST, _MOST, _IN_DAYS,
            ),
            lambda values: Claimed(
                values["benefit"], values["least"], values["most"], values["days"]
            ),
            _say_claims,
            help=gettext_lazy("Claims that hold; what was returned or taken away does not count."),
            needs_one_of=("least", "most"),
        ),
        Kind(
            "claims", gettext_lazy("Claims of any benefit"), (_LEAST, _MOST, _IN_DAYS),
            lambda values: Claimed("", values["least"], values["most"], values["days"]),
            _say_claims,
            help=gettext_lazy("Claims that hold; what was returned or taken away does not count."),
            needs_one_of=("least", "most"),
        ),
        Kind(
            "devices", gettext_lazy("Number of devices"),
            (Input("most", gettext_lazy("at most"), "number", least=1, most=100), _DAYS),
            lambda values: OnDevices(values["most"], values["days"]), _say_devices,
            help=gettext_lazy("Devices that signed in or came back in that time."),
        ),
    )
}  # fmt: skip

"""Money is a whole number of minor units with its currency (ISO 4217), never a float."""

from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import format_currency, format_decimal, get_currency_symbol

# ISO 4217 exponents of the currencies that wallets here settle in.
EXPONENT = {
    "CNY": 2, "HKD": 2, "PHP": 2, "MYR": 2, "THB": 2, "SGD": 2, "IDR": 2, "MOP": 2, "USD": 2,
    "BDT": 2, "PKR": 2, "TWD": 2, "MNT": 2, "KRW": 0, "JPY": 0, "VND": 0,
    "KWD": 3, "BHD": 3, "OMR": 3, "JOD": 3,
}  # fmt: skip

# One sign per currency in every language: Babel alone prints CN¥ in English and PHP in Chinese.
_SIGN = {"CNY": "¥", "HKD": "HK$", "PHP": "₱", "USD": "US$", "MOP": "MOP$", "TWD": "NT$"}
_BABEL_LOCALE = {"zh-hans": "zh_Hans", "zh-hant": "zh_Hant_HK", "en": "en", "fil": "fil"}
_TRUE_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Money:
    """`value` minor units of `currency`: Money("CNY", 6800) is 68 yuan."""

    currency: str
    value: int


def babel_locale(language: str) -> str:
    """Babel's name for one of our languages; English for any other."""
    return _BABEL_LOCALE.get(language, "en")


def format_money(value: int, currency: str, language: str) -> str:
    """`value` minor units as a person reads them: "¥68.00", "−HK$5.00".

    The only place where minor units become a Decimal.
    """
    locale = babel_locale(language)
    amount = Decimal(value).scaleb(-EXPONENT[currency])
    written = format_currency(amount, currency, locale=locale)
    if sign := _SIGN.get(currency):
        written = written.replace(get_currency_symbol(currency, locale), sign)
    return written.replace("\N{NO-BREAK SPACE}", "").replace("-", _TRUE_MINUS)


def format_count(value: int, language: str) -> str:
    """A whole number with the language's grouping: 2480 is "2,480"."""
    written = format_decimal(value, locale=babel_locale(language))
    return written.replace("-", _TRUE_MINUS)

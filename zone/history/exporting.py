"""Transactions as CSV (RFC 4180), safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from zone.core.money import EXPONENT
from zone.history.naming import service_name
from zone.history.queries.activity import Entry

# A cell that starts like this is run as a formula by a spreadsheet
# (https://owasp.org/www-community/attacks/CSV_Injection).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Line:
    """A file that hands back what was written to it, for csv.writer."""

    def write(self, text: str) -> str:
        return text


def csv_lines(entries: Iterable[Entry], zone: ZoneInfo) -> Iterator[str]:
    """One line for each transaction, with a header, for UTF-8 readers that want a mark first."""
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow(
        [_("Date"), _("Time"), _("Type"), _("Item"), _("Kind"), _("Transaction number"),
         _("Order number"), _("Amount"), _("Currency")]
    )  # fmt: skip
    for entry in entries:
        yield writer.writerow(_cells(entry, zone))


def _cells(entry: Entry, zone: ZoneInfo) -> list[str]:
    at = entry.at.astimezone(zone)
    charge, refund = entry.charge, entry.refund
    bill_no = refund.bill_no if refund else charge.bill_no if charge else ""
    # Money that came back has a minus: the column adds up to what was really spent.
    sign = "-" if refund else ""
    return [
        at.strftime("%Y-%m-%d"),
        at.strftime("%H:%M:%S"),
        _("Refund") if refund else _("Purchase"),
        harmless("; ".join(line.name for line in entry.lines)),
        harmless(service_name(entry.service)),
        harmless(bill_no),
        harmless(charge.order_no if charge else ""),
        sign + plain_amount(entry.amount, entry.currency),
        entry.currency,
    ]


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def plain_amount(value: int, currency: str) -> str:
    """6800 fen are 68.00; 6800 yen are 6800."""
    exponent = EXPONENT[currency]
    if not exponent:
        return str(value)
    whole, rest = divmod(value, 10**exponent)
    return f"{whole}.{rest:0{exponent}d}"

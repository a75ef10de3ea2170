"""A month's statement as a PDF on A4, line by line as the CSV has it.

Chinese is set in the Song typeface that every PDF reader brings along or replaces by its own (a
predefined CID font, ISO 32000-1, 9.7.5.2), so no font is shipped and the text can be searched.
"""

from collections.abc import Iterable
from typing import IO

from django.utils import timezone
from django.utils.translation import get_language, gettext
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from credits.queries.journal import EntryLine
from credits.queries.monthly import Month
from credits.statement import row_of
from zone.history.templatetags.history_words import year_month
from zone.members.models import Member

_WIDTH, _HEIGHT = A4
_MARGIN = 54.0
_LINE = 15.0
_BOTTOM = 64.0
_CHANGE_AT, _BALANCE_AT = _WIDTH - 150, _WIDTH - _MARGIN
_NUMBERS = "Helvetica"
_CID_FONTS = {"zh-hans": "STSong-Light", "zh-hant": "MSung-Light"}
_INK, _QUIET, _RULE = (0.11, 0.11, 0.12), (0.37, 0.37, 0.4), (0.82, 0.82, 0.84)


def write_statement(
    file: IO[bytes], *, member: Member, month: Month, lines: Iterable[EntryLine]
) -> None:
    """Opening, every line with its running balance, sums, closing; nothing that names the member.

    Reads `lines` once; what it keeps is the finished pages, compressed.
    """
    sheet = _Sheet(file, member, month)
    sheet.row("", gettext("Opening balance"), "", month.opening.available, is_strong=True)
    added = taken = 0
    for line in lines:
        row = row_of(line)
        added, taken = added + max(row.change, 0), taken + min(row.change, 0)
        at = timezone.localtime(line.posted_at)
        sheet.row(f"{at:%Y-%m-%d %H:%M}", str(row.title), f"{row.change:+d}", row.balance)
    sheet.row("", gettext("Added"), f"{added:+d}", None, is_strong=True)
    sheet.row("", gettext("Taken"), f"{taken:+d}" if taken else "-0", None, is_strong=True)
    sheet.row("", gettext("Closing balance"), "", month.closing.available, is_strong=True)
    sheet.close()


class _Sheet:
    """The pages under the pen; a new one begins by itself."""

    def __init__(self, file: IO[bytes], member: Member, month: Month) -> None:
        self.font = _font()
        self.heading = year_month(month.starts_on)
        self.owner = member.public_id
        self.canvas = Canvas(file, pagesize=A4, pageCompression=1, lang=get_language() or "en")
        self.canvas.setTitle(f"Apple Zone · {self.heading}")
        self.canvas.setAuthor("Apple Zone")
        self.number = 0
        self.y = 0.0
        self._begin()

    def row(
        self, when: str, what: str, change: str, balance: int | None, *, is_strong: bool = False
    ) -> None:
        if self.y < _BOTTOM:
            self._end()
            self._begin()
        if is_strong:
            self.canvas.setStrokeColorRGB(*_RULE)
            self.canvas.line(_MARGIN, self.y + 11, _WIDTH - _MARGIN, self.y + 11)
        self._text(_MARGIN, when, _NUMBERS, 9, _QUIET)
        self._text(_MARGIN + 96, what, self.font, 10, _INK)
        self._number(_CHANGE_AT, change)
        self._number(_BALANCE_AT, "" if balance is None else str(balance))
        self.y -= _LINE

    def close(self) -> None:
        self._end()
        self.canvas.save()

    def _begin(self) -> None:
        self.number += 1
        self.y = _HEIGHT - 60
        self._text(_MARGIN, gettext("Credits: monthly statement"), self.font, 16, _INK)
        self.y -= 20
        self._text(_MARGIN, self.heading, self.font, 11, _QUIET)
        self.canvas.setFont(_NUMBERS, 9)
        self.canvas.drawRightString(_BALANCE_AT, self.y, self.owner)
        self.y -= 28
        self._text(_MARGIN, gettext("Day"), self.font, 9, _QUIET)
        self._text(_MARGIN + 96, gettext("What"), self.font, 9, _QUIET)
        self.canvas.setFont(self.font, 9)
        self.canvas.drawRightString(_CHANGE_AT, self.y, gettext("Change"))
        self.canvas.drawRightString(_BALANCE_AT, self.y, gettext("Balance"))
        self.y -= 22

    def _end(self) -> None:
        self.canvas.setFont(self.font, 8)
        self.canvas.setFillColorRGB(*_QUIET)
        self.canvas.drawString(
            _MARGIN, 36, gettext("Credits are not money. Days are those of your market.")
        )
        self.canvas.setFont(_NUMBERS, 8)
        self.canvas.drawRightString(_BALANCE_AT, 36, str(self.number))
        self.canvas.showPage()

    def _text(
        self, x: float, text: str, font: str, size: float, ink: tuple[float, float, float]
    ) -> None:
        self.canvas.setFont(font, size)
        self.canvas.setFillColorRGB(*ink)
        self.canvas.drawString(x, self.y, text)

    def _number(self, x: float, text: str) -> None:
        self.canvas.setFont(_NUMBERS, 10)
        self.canvas.setFillColorRGB(*_INK)
        self.canvas.drawRightString(x, self.y, text)


def _font() -> str:
    name = _CID_FONTS.get(get_language() or "", "Helvetica")
    if name != "Helvetica" and name not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(name))
    return name

"""The picture of a gift that its giver shares: a closed box and the QR of its link.

It says who it is for and who it is from, never what is inside, and never a code. That of a gift
which friends pay for together calls them to join.
"""

import io
from pathlib import Path

import segno
from django.conf import settings
from django.utils.translation import gettext as _
from PIL import Image, ImageDraw, ImageFont

from benefits.artwork import PALETTES
from benefits.models import Gift, GroupGift

WIDTH, HEIGHT = 900, 1200
_MARGIN = 70
_QR_SIDE = 380
_INK = (29, 29, 31)
_GREY = (95, 95, 102)
_WHITE = (255, 255, 255)
# Fonts that have Chinese as well as Latin letters, where Linux distributions put them.
_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def draw_poster(gift: Gift | GroupGift, *, link: str) -> bytes:
    """The poster as a PNG of 900 by 1200, in the gift's hue and the reader's language."""
    light, deep, _accents = PALETTES[gift.theme]
    fall = Image.linear_gradient("L").resize((WIDTH, HEIGHT))
    picture = Image.composite(
        Image.new("RGB", fall.size, deep), Image.new("RGB", fall.size, light), fall
    )
    pen = ImageDraw.Draw(picture)
    _draw_box(pen, x=WIDTH // 2, y=250, side=230, deep=deep)
    top = 430
    pen.rounded_rectangle((_MARGIN, top, WIDTH - _MARGIN, HEIGHT - _MARGIN), radius=56, fill=_WHITE)
    name = gift.receiver_name
    title = _("A gift for %(name)s") % {"name": name} if name else _("A gift for you")
    _write(pen, title, y=top + 78, size=54, fill=_INK)
    if gift.signed_by:
        _write(pen, _("from %(name)s") % {"name": gift.signed_by}, y=top + 142, size=34, fill=_GREY)
    code = Image.open(io.BytesIO(_qr(link))).convert("RGB")
    code = code.resize((_QR_SIDE, _QR_SIDE), Image.Resampling.NEAREST)
    picture.paste(code, ((WIDTH - _QR_SIDE) // 2, top + 190))
    is_group = isinstance(gift, GroupGift)
    foot = _("Scan to put in a part.") if is_group else _("Scan to open. It opens once.")
    _write(pen, foot, y=top + 625, size=32, fill=_GREY)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def _qr(link: str) -> bytes:
    out = io.BytesIO()
    segno.make(link, error="m", micro=False).save(
        out, kind="png", scale=12, border=4, dark="#111111", light="#ffffff"
    )
    return out.getvalue()


def _draw_box(
    pen: ImageDraw.ImageDraw, *, x: int, y: int, side: int, deep: tuple[int, int, int]
) -> None:
    half = side // 2
    ribbon = side // 8
    for turn in (-1, 1):
        loop = (x, y - half - 62, x + turn * 96, y - half + 14)
        box = (min(loop[0], loop[2]), loop[1], max(loop[0], loop[2]), loop[3])
        pen.ellipse(box, outline=_WHITE, width=18)
    pen.rounded_rectangle((x - half, y - half + 40, x + half, y + half), radius=30, fill=_WHITE)
    pen.rounded_rectangle(
        (x - half - 18, y - half, x + half + 18, y - half + 66), radius=24, fill=_WHITE
    )
    pen.rectangle((x - ribbon // 2, y - half, x + ribbon // 2, y + half), fill=deep)


def _write(
    pen: ImageDraw.ImageDraw, text: str, *, y: int, size: int, fill: tuple[int, int, int]
) -> None:
    """One centred line, smaller when it is long; nothing where no font here has its letters."""
    font = _font(text, size)
    if font is None:
        return
    room = WIDTH - 2 * _MARGIN - 60
    while pen.textlength(text, font=font) > room and size > 20:
        size -= 2
        font = _font(text, size) or font
    pen.text((WIDTH / 2, y), text, font=font, fill=fill, anchor="mm")


def _font(text: str, size: int) -> Font | None:
    for path in (*settings.POSTER_FONTS, *_FONTS):
        if Path(path).is_file():
            return ImageFont.truetype(path, size)
    # Pillow's own font has Latin letters only.
    return ImageFont.load_default(size) if text.isascii() else None

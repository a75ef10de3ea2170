"""Pictures of a benefit and of a code: `{% load benefit_looks %}`."""

from typing import Any

import segno
from django import template
from django.core.files.storage import default_storage
from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe

from benefits.models import Benefit

register = template.Library()

# Our own drawings, for a benefit nobody has uploaded a picture for.
_HUE_ART = {
    "pink": "img/music.svg",
    "blue": "img/cloud.svg",
    "violet": "img/arcade.svg",
    "mint": "img/coupon.svg",
    "night": "img/film.svg",
    "orange": "img/spark.svg",
}
_KIND_ART = {"draw_ticket": "img/ticket.svg"}
_DRAWING_SIZE = {"width": 640, "height": 720}
# The better format first: a browser takes the first one it knows.
_FORMATS = ("avif", "webp")
_CODE_GROUP_LETTERS = 4


@register.filter
def points(values: Any) -> list[dict[str, str]]:
    """Features or steps as `{"title", "text"}` each; a bare sentence is a title."""
    rows = values if isinstance(values, list) else []
    return [row if isinstance(row, dict) else {"title": str(row), "text": ""} for row in rows]


@register.inclusion_tag("components/artwork.html")
def artwork(
    benefit: Benefit, css: str = "", sizes: str = "100vw", eager: bool = False
) -> dict[str, Any]:
    """`<picture>` with the renditions that were cut, or the drawing of its kind or hue.

    The picture says nothing the words beside it do not say, so its alternative is empty.
    """
    kept = benefit.artwork or {}
    files: dict[str, dict[str, str]] = kept.get("files", {})
    sources = [
        {
            "type": f"image/{name}",
            "srcset": ", ".join(
                f"{default_storage.url(file)} {width}w"
                for width, file in sorted(files[name].items(), key=lambda pair: int(pair[0]))
            ),
        }
        for name in _FORMATS
        if files.get(name)
    ]
    size = {"width": kept["width"], "height": kept["height"]} if sources else _DRAWING_SIZE
    # For browsers that know neither format: the middle JPEG, or the drawing.
    plain = files.get("jpeg", {})
    src = (
        default_storage.url(plain[sorted(plain, key=int)[len(plain) // 2]])
        if plain
        else static(_KIND_ART.get(benefit.kind) or _HUE_ART.get(benefit.hue, _HUE_ART["mint"]))
    )
    return {"sources": sources, "src": src, "css": css, "sizes": sizes, "eager": eager, **size}


@register.filter
def in_groups(code: str) -> str:
    """ABCD EFGH IJKL: four letters at a time are read and typed without losing the place."""
    letters = code.replace(" ", "").replace("-", "")
    parts = range(0, len(letters), _CODE_GROUP_LETTERS)
    return " ".join(letters[start : start + _CODE_GROUP_LETTERS] for start in parts)


@register.filter
def qr_svg(content: str) -> SafeString:
    """A QR code, always dark on white: scanners do not read the other way round."""
    drawing = segno.make(content, error="m", micro=False).svg_inline(
        border=0, dark="#111", omitsize=True, svgclass=None, lineclass=None
    )
    return mark_safe(drawing)  # noqa: S308 segno writes numbers only; the content is not in it

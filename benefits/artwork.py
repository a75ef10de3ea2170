"""Pictures of benefits: drawn here when nobody uploads one, and cut to the sizes pages ask for.

A drawing follows from its hue and a name alone, so the same benefit always looks the same. An
upload is decoded and written anew: what is stored never carries the uploader's bytes, let alone a
script (vector files are refused).
"""

import base64
import hashlib
import io
import math
import random
from typing import IO, Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from PIL import Image, ImageDraw, ImageFilter, ImageOps, UnidentifiedImageError

from benefits.errors import PictureRefused
from benefits.models import Benefit

WIDTHS = (320, 640, 960)
RATIO = 8 / 9  # width to height, as the hero and the cards show it
FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "avif": ("AVIF", {"quality": 62, "speed": 8}),
    "webp": ("WEBP", {"quality": 78, "method": 4}),
    "jpeg": ("JPEG", {"quality": 80, "optimize": True, "progressive": True}),
}
UPLOAD_BYTES_MAX = 8 * 1024 * 1024
UPLOAD_PIXELS_MAX = 40_000_000
UPLOAD_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF")
PLACEHOLDER_WIDTH = 16

Colour = tuple[int, int, int]
# Light end, deep end and accents of each hue.
PALETTES: dict[str, tuple[Colour, Colour, tuple[Colour, ...]]] = {
    "pink": ((255, 168, 203), (240, 36, 95), ((255, 214, 120), (255, 255, 255), (166, 15, 69))),
    "orange": ((255, 206, 120), (255, 106, 31), ((255, 90, 90), (255, 246, 214), (154, 50, 0))),
    "violet": ((190, 168, 255), (109, 61, 245), ((95, 195, 255), (255, 255, 255), (74, 18, 168))),
    "blue": ((143, 220, 255), (22, 119, 242), ((255, 231, 150), (255, 255, 255), (26, 47, 168))),
    "mint": ((150, 245, 214), (10, 168, 148), ((255, 240, 170), (255, 255, 255), (0, 89, 107))),
    "night": ((91, 99, 201), (25, 26, 69), ((255, 140, 180), (140, 160, 255), (18, 18, 47))),
}


def draw(hue: str, name: str) -> Image.Image:
    """Glossy shapes on the hue's gradient; the same hue and name draw the same picture."""
    light, deep, accents = PALETTES[hue]
    seed = int.from_bytes(hashlib.sha256(f"{hue}:{name}".encode()).digest()[:8])
    dice = random.Random(seed)  # noqa: S311 - a picture, not a secret
    width = WIDTHS[-1]
    height = round(width / RATIO)
    picture = _gradient(width, height, light, deep, angle=dice.uniform(0.9, 1.4))
    _glow(picture, dice, accents[0])
    count = dice.randint(4, 6)
    turn = dice.uniform(0, math.tau)
    for number in range(count):
        share = number / count
        radius = round(width * dice.uniform(0.09, 0.21) * (1 if number else 1.35))
        spread = width * 0.27 if number else 0
        x = width / 2 + spread * math.cos(turn + share * math.tau)
        y = height * 0.47 + spread * math.sin(turn + share * math.tau)
        shade = _mix(light, accents[1], dice.uniform(0.35, 0.95))
        if dice.random() < 0.25:
            shade = accents[0]
        _orb(picture, round(x), round(y), radius, shade, deep)
    for _bead in range(dice.randint(3, 5)):
        x, y = dice.uniform(0.08, 0.92) * width, dice.uniform(0.06, 0.9) * height
        _orb(picture, round(x), round(y), round(width * dice.uniform(0.012, 0.035)), light, deep)
    return picture


def _mix(first: Colour, second: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _gradient(width: int, height: int, light: Colour, deep: Colour, *, angle: float) -> Image.Image:
    """A slanted fall from light to deep, drawn small and stretched smoothly."""
    small = Image.new("RGB", (32, 36))
    for y in range(36):
        for x in range(32):
            along = (x / 31 * math.cos(angle) + y / 35 * math.sin(angle)) / (
                math.cos(angle) + math.sin(angle)
            )
            small.putpixel((x, y), _mix(light, deep, along))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def _glow(picture: Image.Image, dice: random.Random, colour: Colour) -> None:
    """A soft light in one upper corner."""
    width, height = picture.size
    mask = Image.new("L", (width // 8, height // 8), 0)
    x = dice.choice((0.1, 0.9)) * mask.width
    radius = mask.width * 0.6
    ImageDraw.Draw(mask).ellipse((x - radius, -radius, x + radius, radius), fill=170)
    mask = mask.filter(ImageFilter.GaussianBlur(mask.width / 6)).resize(picture.size)
    picture.paste(Image.new("RGB", picture.size, colour), mask=mask)


def _orb(picture: Image.Image, x: int, y: int, radius: int, colour: Colour, deep: Colour) -> None:
    """A glossy ball with a shadow under it: light comes from the upper left."""
    margin = radius
    size = 2 * (radius + margin)
    left, top = x - size // 2, y - size // 2
    shadow = Image.new("L", (size, size), 0)
    ImageDraw.Draw(shadow).ellipse(
        (margin, margin + radius // 2, size - margin, size - margin + radius // 2), fill=90
    )
    shadow = shadow.filter(ImageFilter.GaussianBlur(radius / 4 + 1))
    dark = _mix(deep, (0, 0, 0), 0.35)
    picture.paste(Image.new("RGB", (size, size), dark), (left, top), shadow)

    disc = Image.new("L", (4 * radius, 4 * radius), 0)
    ImageDraw.Draw(disc).ellipse((0, 0, 4 * radius - 1, 4 * radius - 1), fill=255)
    disc = disc.resize((2 * radius, 2 * radius), Image.Resampling.LANCZOS)
    body = _ball(radius, colour, deep)
    picture.paste(body, (x - radius, y - radius), disc)


def _ball(radius: int, colour: Colour, deep: Colour) -> Image.Image:
    small = Image.new("RGB", (24, 24))
    for py in range(24):
        for px in range(24):
            distance = math.hypot(px / 23 - 0.34, py / 23 - 0.28)
            shine = max(0.0, 1 - distance / 0.34)
            shade = min(1.0, max(0.0, (distance - 0.3) / 0.75))
            small.putpixel((px, py), _mix(_mix(colour, deep, shade * 0.85), (255, 255, 255), shine))
    return small.resize((2 * radius, 2 * radius), Image.Resampling.BICUBIC)


def read_upload(source: IO[bytes]) -> Image.Image:
    """An operator's picture, upright and without anything but its pixels.

    Raises PictureRefused for what is too large, no picture, or of a kind we do not take.
    """
    raw = source.read(UPLOAD_BYTES_MAX + 1)
    if len(raw) > UPLOAD_BYTES_MAX:
        raise PictureRefused(why=_("it is larger than 8 MB."))
    try:
        with Image.open(io.BytesIO(raw), formats=UPLOAD_FORMATS) as opened:
            if opened.width * opened.height > UPLOAD_PIXELS_MAX:
                raise PictureRefused(why=_("it has more than 40 million pixels."))
            if opened.width < WIDTHS[0]:
                raise PictureRefused(
                    why=_("it is narrower than %(width)s pixels.") % {"width": WIDTHS[0]}
                )
            return ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise PictureRefused(why=_("it is no PNG, JPEG, WebP or AVIF picture.")) from error


def set_artwork(benefit: Benefit, picture: Image.Image) -> dict[str, Any]:
    """Cut a picture into its renditions, store them, and point the benefit at them.

    Names carry a hash of the pixels, so caches may keep them for ever. Safe to repeat.
    """
    width, height = WIDTHS[-1], round(WIDTHS[-1] / RATIO)
    full = ImageOps.fit(picture.convert("RGB"), (width, height), Image.Resampling.LANCZOS)
    mark = hashlib.sha256(full.tobytes()).hexdigest()[:12]
    files: dict[str, dict[str, str]] = {kind: {} for kind in FORMATS}
    for wide in WIDTHS:
        cut = full.resize((wide, round(wide / RATIO)), Image.Resampling.LANCZOS)
        for kind, (writer, options) in FORMATS.items():
            name = f"benefits/{benefit.public_id}/{mark}-{wide}.{kind}"
            if not default_storage.exists(name):
                held = io.BytesIO()
                cut.save(held, writer, **options)
                name = default_storage.save(name, ContentFile(held.getvalue()))
            files[kind][str(wide)] = name
    artwork: dict[str, Any] = {
        "width": width,
        "height": height,
        "placeholder": _placeholder(full),
        "files": files,
    }
    benefit.artwork = artwork
    benefit.save(update_fields=["artwork", "updated_at"])
    return artwork


def draw_artwork(benefit: Benefit) -> dict[str, Any]:
    """The drawing that belongs to a benefit nobody uploaded a picture for."""
    return set_artwork(benefit, draw(benefit.hue, benefit.slug))


def _placeholder(picture: Image.Image) -> str:
    """A few hundred bytes that stand in while the picture loads, as a data address."""
    small = picture.resize((PLACEHOLDER_WIDTH, round(PLACEHOLDER_WIDTH / RATIO)))
    held = io.BytesIO()
    small.save(held, "WEBP", quality=30)
    return "data:image/webp;base64," + base64.b64encode(held.getvalue()).decode()

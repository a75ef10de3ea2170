"""Which words of a benefit are missing in which language."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from benefits.models import Benefit, BenefitText

# What members read, in the order of the page.
_SPOKEN = ("title", "subtitle", "kicker", "description", "features", "steps", "terms")


def list_gaps(benefit: Benefit, languages: list[str]) -> dict[str, list[str]]:
    """By language, the parts that English has and that language does not. Reads `texts.all()`."""
    texts = {text.language: text for text in benefit.texts.all()}
    english = texts.get("en")
    gaps: dict[str, list[str]] = {}
    for language in languages:
        text = texts.get(language)
        missing = [
            part
            for part in _SPOKEN
            if (
                (english is None and part == "title")
                or (english is not None and getattr(english, part))
            )
            and not (text is not None and getattr(text, part))
        ]
        if missing:
            gaps[language] = missing
    return gaps


def with_gap_in(benefits: QuerySet[Benefit], language: str) -> QuerySet[Benefit]:
    """Those that say something in English and not in `language`."""
    english = BenefitText.objects.filter(benefit=OuterRef("pk"), language="en")
    theirs = BenefitText.objects.filter(benefit=OuterRef("pk"), language=language)
    gap = Q(~Exists(theirs.exclude(title="")))
    for part in _SPOKEN:
        empty = [] if part in ("features", "steps") else ""
        said = Exists(english.exclude(**{part: empty}))
        gap |= Q(said) & Q(~Exists(theirs.exclude(**{part: empty})))
    return benefits.filter(gap)

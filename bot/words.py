"""Text → the terms that BM25 counts: identifiers whole and split, stemmed, abbreviations expanded, typing errors mended.

Everything is learned from the site's own text: its abbreviations (`<abbr title>`), its CamelCase identifiers, its words.
Knows no sections and no scores.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import Stemmer
from rapidfuzz.distance import OSA
from rapidfuzz.process import extractOne

TOKEN = re.compile(r"[^\W_]+(?:[-._/:][^\W_]+)*")
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
# Words that carry no topic; "not", "without" and the like stay: they are part of what is asked.
STOPWORDS = frozenset(
    "a about am an and any are as at be been being but by can could did do does doing for from get gets getting got had has have "
    "having he hello help hi how i if in into is it its just know like me my of on or our please she should so some that the "
    "their them then there these they thing this those to too trying us want was we were what when where which while who why "
    "will with would you your yes thanks thank hey anyone someone guys".split()
)
MENDABLE = 5  # letters: shorter unknown words are left alone, a neighbor one edit away is too often another word
LONG = 9  # letters: from here two edits are mended instead of one
REMEMBERED = 20_000  # tokens whose terms are kept
SEEN = 3  # times: a word rarer than this in the site's text is no target for mending


@lru_cache(maxsize=1)
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


@dataclass(frozen=True)
class Vocabulary:
    """The site's own words, as `terms` and `mend` need them."""

    abbreviations: dict[str, str] = field(default_factory=dict)  # "nlb" → "Network Load Balancer"
    compounds: dict[str, list[str]] = field(default_factory=dict)  # "loadbalancer" → ["load", "balancer"]
    known: list[str] = field(default_factory=list)  # words to mend typing errors to

    @classmethod
    def learn(cls, texts: Iterable[str], abbreviations: dict[str, str]) -> "Vocabulary":
        """Return the vocabulary of `texts`; `abbreviations` maps short forms, in any case, to long ones."""
        compounds: dict[str, list[str]] = {}
        seen: Counter[str] = Counter()
        for token in (match.group() for text in texts for match in TOKEN.finditer(text)):
            parts = PART.findall(token)
            if len(parts) > 1 and token.isalpha() and min(map(len, parts)) > 1:
                compounds.setdefault(token.lower(), [part.lower() for part in parts])
            seen.update(word for part in re.split(r"[-._/:]", token) for word in {part.lower()})
        known = sorted(word for word, count in seen.items() if count >= SEEN and len(word) >= MENDABLE and word.isalpha())
        return cls({short.lower(): long for short, long in abbreviations.items()}, compounds, known)

    def terms(self, text: str) -> list[str]:
        """Return the terms of `text`: `externalTrafficPolicy` gives itself and its three words, `lb` also load and balancer."""
        return [term for match in TOKEN.finditer(text) for term in self._terms_of(match.group())]

    @cached_property
    def _terms_of(self) -> Callable[[str], tuple[str, ...]]:
        """The terms of one token, remembered: most of a site's words come again and again."""
        return lru_cache(maxsize=REMEMBERED)(self._split)

    def _split(self, token: str) -> tuple[str, ...]:
        whole = token.lower()
        parts = self.compounds.get(whole) or [part.lower() for part in PART.findall(token)]
        found = [whole] if len(parts) > 1 else []
        found += [part for part in parts if part not in STOPWORDS]
        if whole in self.abbreviations:
            found += [part.lower() for part in PART.findall(self.abbreviations[whole])]
        return tuple(str(term) for term in _stemmer().stemWords(found))

    def mend(self, text: str) -> str:
        """Return `text` with unknown words replaced by the site's word that is one edit away (two for long words)."""
        return re.sub(r"(?<![\w./:-])[A-Za-z]+(?![\w/:-]|\.\w)", lambda match: self._mended(match.group()), text)

    def _mended(self, word: str) -> str:
        lower = word.lower()
        if len(word) < MENDABLE or lower in self._known or lower in self.compounds or lower in self.abbreviations:
            return word
        if any(lower.removesuffix(ending) in self._known for ending in ("s", "es", "ed", "ing", "er", "ly", "d")):
            return word
        edits = 2 if len(word) >= LONG else 1
        near = extractOne(lower, self._initials.get(lower[0], ()), scorer=OSA.distance, score_cutoff=edits)
        return near[0] if near else word

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.known)

    @cached_property
    def _initials(self) -> dict[str, list[str]]:
        """The known words by their first letter, which is seldom mistyped: a mended word keeps it, and few need to be compared."""
        initials: dict[str, list[str]] = {}
        for word in self.known:
            initials.setdefault(word[0], []).append(word)
        return initials

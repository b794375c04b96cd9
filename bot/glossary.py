"""A question in another language → English words, one by one: enough for a search that knows English, no translation.

The glossaries (bot/glossaries/*.json) hold the words that people use who ask about services, certificates and networks. Technical
words are English in most languages already and stay as they are. Knows no site.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import Stemmer

from bot.words import STOPWORDS

FOLDER = Path(__file__).parent / "glossaries"
WORD = re.compile(r"(?<![\w./:@-])[^\W\d_]+(?![\w/:@-]|\.\w)")  # no part of an identifier, a path or an address
HYPHENATED = re.compile(r"(?<![\w./:@-])[^\W\d_]+(?:-[^\W\d_]+)+(?![\w/:@-])")
# Languages that leave no space between words, by their script; Japanese has Chinese characters too, so its own come first.
UNSPACED = {"ja": re.compile(r"[\u3040-\u30ff]"), "zh": re.compile(r"[\u4e00-\u9fff]")}
LONGEST_PHRASE = 5  # words
LEAST_LETTERS = 4  # of a stem that is also looked up without accents: "no" is not "nó"
LEAST_WORDS = 2  # of a language that a question holds before it is taken for it …
LEAST_SHARE = 0.3  # … and as a share of all its words
NO_EVIDENCE = STOPWORDS | {"no", "ha"}  # English too, as is any single letter ("let's")


@dataclass(frozen=True, slots=True)
class Glossary:
    """One language: its words by their stems, and those that say nothing to a search."""

    code: str
    words: dict[tuple[str, ...], str]  # stems of a word or phrase → English
    bare: dict[tuple[str, ...], str]  # the same without accents, which people leave out when they type
    small: frozenset[str]

    def stems(self, words: list[str]) -> list[str]:
        lower = [word.lower() for word in words]
        return [str(stem) for stem in _stemmer(self.code).stemWords(lower)] if self.code not in UNSPACED else lower

    def english(self, stems: tuple[str, ...]) -> str | None:
        """Return the English of a word or phrase; None when it is not in the glossary."""
        long = all(len(stem) >= LEAST_LETTERS for stem in stems)
        return self.words.get(stems) or (self.bare.get(tuple(map(_bare, stems))) if long else None)


def english(question: str) -> str:
    """Return `question` with the words of its language in English; unchanged when it is English, or of no known language."""
    for code, script in UNSPACED.items():
        if len(script.findall(question)) >= LEAST_WORDS:
            return _replaced_substrings(question, _glossaries()[code])
    words = WORD.findall(question)
    foreign = {word.lower() for word in words if len(word) > 1} - NO_EVIDENCE
    likely = [glossary for glossary in _glossaries().values() if glossary.code not in UNSPACED and not glossary.small.isdisjoint(foreign)]
    known, code = max(((_known(words, glossary), glossary.code) for glossary in likely), default=(0, ""))
    return _replaced_words(question, _glossaries()[code]) if known >= max(LEAST_WORDS, LEAST_SHARE * len(words)) else question


@lru_cache(maxsize=1)
def _glossaries() -> dict[str, Glossary]:
    return {glossary.code: glossary for glossary in _read()}


def _read() -> Iterator[Glossary]:
    for path in sorted(FOLDER.glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        empty = Glossary(path.stem, {}, {}, frozenset(record["small"]))
        words = {tuple(empty.stems(_pieces(path.stem, phrase))): value for phrase, value in record["words"].items()}
        bare = [tuple(map(_bare, stems)) for stems in words]
        times = Counter(bare)
        clear = {key: value for key, value in zip(bare, words.values(), strict=True) if times[key] == 1}
        yield replace(empty, words=words, bare=clear)


def _pieces(code: str, phrase: str) -> list[str]:
    return [phrase] if code in UNSPACED else re.split(r"[\s'-]+", phrase)


@lru_cache(maxsize=8)
def _stemmer(code: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(code)


def _bare(word: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter))


def _known(words: list[str], glossary: Glossary) -> int:
    """Return how many of `words` are of the glossary's language and not English too."""
    translated = (glossary.english((stem,)) for stem in glossary.stems(words))
    return sum(
        len(word) > 1 and word.lower() not in NO_EVIDENCE and (word.lower() in glossary.small or value not in (None, word.lower()))
        for word, value in zip(words, translated, strict=True)
    )


def _replaced_words(question: str, glossary: Glossary) -> str:
    question = HYPHENATED.sub(lambda match: _unhyphened(match.group(), glossary), question)
    found = list(WORD.finditer(question))
    stems = glossary.stems([match.group() for match in found])
    pieces, place, number = [], 0, 0
    while number < len(found):
        pieces.append(question[place : found[number].start()])
        value, length = _longest(glossary, stems[number : number + LONGEST_PHRASE])
        if value or found[number].group().lower() not in glossary.small:
            pieces.append(value or found[number].group())
        number += length
        place = found[number - 1].end()
    return re.sub(r"\s+", " ", "".join(pieces) + question[place:]).strip()


def _unhyphened(word: str, glossary: Glossary) -> str:
    """Return a word such as pare-feu in pieces where the glossary has it so, and as it is where not (ingress-nginx)."""
    pieces = word.split("-")
    return " ".join(pieces) if glossary.english(tuple(glossary.stems(pieces))) else word


def _longest(glossary: Glossary, stems: list[str]) -> tuple[str | None, int]:
    """Return the English of the longest phrase that `stems` begin with, and its words; None and 1 when there is none."""
    phrases = ((glossary.english(tuple(stems[:length])), length) for length in range(len(stems), 0, -1))
    return next(((value, length) for value, length in phrases if value), (None, 1))


def _replaced_substrings(question: str, glossary: Glossary) -> str:
    pattern, words = _substrings(glossary.code)
    return re.sub(r"\s+", " ", pattern.sub(lambda match: f" {words[match.group().lower()]} ", question)).strip()


@lru_cache(maxsize=len(UNSPACED))
def _substrings(code: str) -> tuple[re.Pattern[str], dict[str, str]]:
    """Return the pattern that finds the longest entry of an unspaced language, and what stands for each."""
    glossary = _glossaries()[code]
    words = {phrase: value for (phrase,), value in glossary.words.items()} | dict.fromkeys(glossary.small, "")
    return re.compile("|".join(re.escape(phrase) for phrase in sorted(words, key=len, reverse=True)), re.I), words

"""Question → Answer: which sections, which of their words, how sure. `Answerer` is the one object that every face holds.

Nothing is generated: an answer is whole paragraphs, list items and code blocks of the sections that were found. Knows no HTTP,
no Slack, no terminal, and no settings: the composition root hands over what it needs.
"""

import itertools
import re
import time
import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bot.errors import QuestionRefused
from bot.index import sentences
from bot.retrieval import Hit, Query, Retriever
from bot.sections import Block, Section
from bot.verdict import told, verdict

MAX_QUESTION = 1000  # characters
MAX_HISTORY = 6  # earlier questions
HITS = 8  # sections that are looked at
CITATIONS = 3
SUGGESTIONS = 3
PROSE_WORDS = 130  # an answer's prose stops growing here; the lead paragraph is always whole
CODE_LINES = 45  # a longer block is left to the page
QUOTE_CHARACTERS = 300
# A question that leans on earlier ones has at most so many words; this share of its scores comes from all of them together.
LEANING_WORDS, LEANING_SHARE = 15, 0.6
# One that seems to stand on its own gets a little of the subject too, unless it is longer than this.
STANDING_WORDS, STANDING_SHARE = 30, 0.4
EARLIER = 2  # questions that give a follow-up its subject
FAMILIAR = 0.8  # least share of a leaning question's terms that the site knows: the rest changes the subject
PART_CONFIDENCE = 0.75  # of a second question in the same message, to be answered beside the first
# The second-best section's lead is shown as well when its score is at most this share behind the best: the two are as good as equal.
SECOND_WITHIN = 0.1
SAID_AGAIN = 0.5  # share of the terms of its lead that the best section's lead has too, from which it says the same again
MARKS = 5  # characters by which two questions of the same words may differ in length

WANTS_CODE = re.compile(
    r"\b(?:how|example|yaml|manifest|config\w*|command|snippet|syntax|annotations?|set ?up|enable|create|expose|install|"
    r"error|fail\w*|check|debug|fix|troubleshoot\w*|step)\b",
    re.I,
)
CONJUNCTION = re.compile(r"^\W*(?:and|or|but|also|plus)\b[\s,]*", re.I)
FOLLOW_UP = re.compile(
    r"^\W*(?:and|or|but|also|then|so|ok|okay|what if|what about|how about|same|why|is that|does that|does it|can it|is it|"
    r"with|without|on|for|in)\b|\b(?:it|that|this|those|these|there|them|instead|the same)\b"
    r"|^\W*(?:und|oder|aber|dann|y|pero|et|mais|e|mas|ma|или|и|а|но)\b|^(?:那|では)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Citation:
    """A section that the answer stands on: `quote` is verbatim on the page that `url` opens at the heading."""

    title: str
    url: str
    quote: str
    score: float  # 0 to 1: the section's score as a share of the best possible


@dataclass(frozen=True, slots=True)
class Answer:
    """What every face shows. `answer` is Markdown; `citations` are the nearest sections when declined."""

    question: str
    status: str  # "answered" | "unsure" | "declined"
    verdict: str | None  # "yes" | "no" | "depends"
    answer: str
    confidence: float  # probability that the answer is right
    citations: tuple[Citation, ...]
    suggestions: tuple[str, ...]
    took_ms: float
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A logistic model of "the best section answers the question", learned by `python -m bot tune`.

    `weights` and `center`, `scale` go by the names of `signals`; `knots` is the isotonic line from the model's probability to the
    share of right answers at it (Zadrozny & Elkan, 2002); thresholds cut that into three statuses.
    """

    weights: dict[str, float]
    center: dict[str, float]
    scale: dict[str, float]
    bias: float
    answer_at: float
    unsure_at: float
    knots: tuple[tuple[float, float], ...] = ((0.0, 0.0), (1.0, 1.0))

    def confidence(self, signals: dict[str, float]) -> float:
        """Return the probability, 0 to 1, that the best section is right."""
        total = self.bias + sum(weight * (signals[name] - self.center[name]) / self.scale[name] for name, weight in self.weights.items())
        probability = 1 / (1 + np.exp(-np.clip(total, -30, 30)))
        return float(np.interp(probability, [knot[0] for knot in self.knots], [knot[1] for knot in self.knots]))

    def status(self, confidence: float) -> str:
        if confidence >= self.answer_at:
            return "answered"
        return "unsure" if confidence >= self.unsure_at else "declined"


@dataclass(frozen=True, slots=True)
class Finding:
    """What retrieval made of one question: hits inside the handbook, the best outside it, and the confidence in the first."""

    query: Query
    hits: list[Hit]
    outside: Hit | None
    signals: dict[str, float]
    confidence: float


class Answerer:
    """Answers questions from one index."""

    def __init__(self, retriever: Retriever, doubt: Doubt) -> None:
        self.retriever = retriever
        self.doubt = doubt

    def ask(self, question: str, history: Sequence[str] = (), page: str = "") -> Answer:
        """Return the answer to `question`; `history` holds earlier questions, oldest first, `page` the reader's page.

        Raises QuestionRefused when there is no question to answer.
        """
        started = time.perf_counter()
        question = checked(question)
        finding = self.find(question, [checked(earlier) for earlier in history[-MAX_HISTORY:]], page)
        status = self.doubt.status(finding.confidence)
        if status == "declined":
            sign, text, shown, cited = None, _refusal(finding), 0, finding.hits
        else:
            sign, text, shown, cited = self._compose(finding, status)
        return Answer(
            question=question,
            status=status,
            verdict=sign,
            answer=text,
            confidence=round(finding.confidence, 3),
            citations=tuple(_citation(hit, self.best_score) for hit in cited[:CITATIONS]),
            suggestions=tuple(hit.section.heading for hit in cited[shown:])[:SUGGESTIONS],
            took_ms=round((time.perf_counter() - started) * 1000, 1),
        )

    def nearest(self, question: str, k: int) -> list[tuple[Citation, dict[str, float]]]:
        """Return the k nearest sections as citations, best first, with the parts of their scores."""
        hits = self.retriever.search(self.retriever.query(checked(question)), k)
        return [(_citation(hit, self.best_score), hit.parts) for hit in hits]

    @property
    def best_score(self) -> float:
        """The score of a section that fits in every part."""
        return float(np.sum(np.maximum(self.retriever.weights, 0.0))) or 1.0

    def find(self, question: str, history: Sequence[str] = (), page: str = "") -> Finding:
        """Return what retrieval makes of `question`, read as a follow-up of `history` when it is one."""
        query = self.retriever.query(question, page)
        alone = self.judge(query)
        share = self._share_of_history(question, alone) if history else 0.0
        if not share:
            return alone
        # The earlier questions give the subject, the new one what changes: sections are scored by both.
        together = self.retriever.query(" ".join([*history[-EARLIER:], question]), page)
        return self.judge(replace(together, text=query.text, parts=share * together.parts + (1 - share) * query.parts))

    def _share_of_history(self, question: str, alone: Finding) -> float:
        """Return the share of scores that the earlier questions give: less where `question` makes sense `alone`, none off the subject."""
        words = len(question.split())
        familiar = not alone.query.terms or alone.signals.get("known_terms", 0.0) >= FAMILIAR
        if words <= LEANING_WORDS and familiar and FOLLOW_UP.search(question):
            return LEANING_SHARE
        return STANDING_SHARE if words <= STANDING_WORDS and self.doubt.status(alone.confidence) != "declined" else 0.0

    def judge(self, query: Query) -> Finding:
        """Return the best hits of `query` and the confidence in the first."""
        inside = self.retriever.search(query, HITS)
        outside = next(iter(self.retriever.search(query, 1, outside=True)), None)
        signals = self.signals(query, inside, outside)
        confidence = self.doubt.confidence(signals) if inside else 0.0
        if inside and _is_listed(query.text, inside[0].section):  # its author says that this is answered there
            confidence = max(confidence, self.doubt.knots[-1][1])
        return Finding(query, inside, outside, signals, confidence)

    def signals(self, query: Query, inside: list[Hit], outside: Hit | None) -> dict[str, float]:
        """Return the numbers that doubt is judged by, for the best inside hit."""
        if not inside:
            return {}
        best, second = inside[0], inside[1] if len(inside) > 1 else inside[0]
        written = self.retriever.index.written
        terms = set(query.terms)
        return {
            "score": best.score,
            "margin": best.score - second.score,
            "lead_over_outside": best.score - (outside.score if outside else inside[-1].score),
            "scope": query.scope,
            **{part: value for part, value in best.parts.items() if part != "page"},
            "known_terms": len(terms & written) / max(len(terms), 1),
            "terms": float(np.log1p(len(terms))),
        }

    def _compose(self, finding: Finding, status: str) -> tuple[str | None, str, int, list[Hit]]:
        """Return verdict, Markdown, the number of sections shown, and the hits in the order in which they are cited."""
        question, best = finding.query.text, finding.hits[0]
        further = self._further_part(question, best)
        sign = verdict(question, best.section)
        others = [further[1]] if further else self._as_good_as_equal(finding)
        text = _shown_blocks(best.section, question, sign, self.retriever, room=0 if others else PROSE_WORDS)
        for other in others:  # unless it was asked for, its yes or no belongs to its heading and not to the question
            heading = _link(other.section) if further else f"See also: {_link(other.section)}"
            text += f"\n\n**{heading}**\n\n" + told(_lead(other.section), verdict(further[0], other.section) if further else None)
        shown = [best, *others]
        if status == "unsure":
            text = f"I am not sure that this is what you ask. The closest section is “{best.section.heading}”:\n\n{text}"
        urls = {hit.section.url for hit in shown}
        return sign, text, len(shown), shown + [hit for hit in finding.hits if hit.section.url not in urls]

    def _further_part(self, question: str, best: Hit) -> tuple[str, Hit] | None:
        """Return a second question in the same message and its best hit, when another section answers it with confidence."""
        pieces = [piece for sentence in sentences(question) for piece in re.split(r"(?<=\?)\s+", sentence)]  # "…? and …?" in lower case
        parts = [CONJUNCTION.sub("", piece) for piece in pieces if piece.rstrip().endswith("?")]
        for part in parts[:3] if len(parts) > 1 else []:
            finding = self.find(part)
            if finding.confidence >= PART_CONFIDENCE and finding.hits[0].section.url != best.section.url:
                return part, finding.hits[0]
        return None

    def _as_good_as_equal(self, finding: Finding) -> list[Hit]:
        """Return the second-best hit when little speaks for the first above it and it says something else."""
        best, *others = finding.hits
        if not others or others[0].score < best.score * (1 - SECOND_WITHIN):
            return []
        said, new = (set(self.retriever.index.vocabulary.terms(hit.section.blocks[0].text)) for hit in (best, others[0]))
        return others[:1] if len(said & new) < SAID_AGAIN * len(new) else []


def checked(question: str) -> str:
    """Return `question` in Unicode's composed form without surrounding space, or raise QuestionRefused."""
    question = unicodedata.normalize("NFC", question).strip().replace("’", "'")  # as telephones type it
    if len(question) > MAX_QUESTION:
        raise QuestionRefused(
            f"The question has {len(question)} characters; {MAX_QUESTION} is the most. Ask the core of it.", "question-too-long"
        )
    if any(unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\r\t" for character in question):
        raise QuestionRefused("The question holds control characters: send plain text.", "control-characters")
    if not question:
        raise QuestionRefused("There is no question: ask something in words, such as “can Ingress carry UDP?”.", "empty-question")
    return question


def _is_listed(question: str, section: Section) -> bool:
    """Whether `question` stands beside `section`, but for case and marks."""
    near = (listed for listed in section.questions if abs(len(listed) - len(question)) <= MARKS)
    return _plain(question) in map(_plain, near)


def _plain(question: str) -> str:
    """Return the words of `question` in lower case, without marks."""
    return re.sub(r"\W+", " ", question).strip().lower()


def _shown_blocks(section: Section, question: str, sign: str | None, retriever: Retriever, room: int) -> str:
    """Return the Markdown of the section's blocks that answer `question`, the verdict `sign` first."""
    chosen = [0, *_further_prose(section.blocks, question, retriever, room)]
    if (code := _code(section.blocks, question, section.heading)) is not None:
        chosen += code
    lead = told(section.blocks[0].markdown, sign)
    return _join([lead if number == 0 else _shown(section.blocks[number]) for number in sorted(set(chosen))])


def _further_prose(blocks: tuple[Block, ...], question: str, retriever: Retriever, room: int) -> list[int]:
    """Return the numbers of blocks after the lead, best first, that say more of what `question` asks, within `room` words."""
    room -= len(blocks[0].text.split())
    chosen: list[int] = []
    groups = _groups(blocks) if room > 0 else []
    if not groups:
        return chosen
    vocabulary = retriever.index.vocabulary
    asked, said = set(vocabulary.terms(question)), set(vocabulary.terms(blocks[0].text))
    worth = [len(asked & set(vocabulary.terms(" ".join(blocks[n].text for n in group))) - said) for group in groups]
    for _, number in sorted((-value, number) for number, value in enumerate(worth)):
        words = sum(len(blocks[n].text.split()) for n in groups[number])
        if words <= room and (worth[number] > 0 or len(chosen) == 0):
            chosen += groups[number]
            room -= words
    return chosen


def _groups(blocks: tuple[Block, ...]) -> list[list[int]]:
    """Return the prose after the lead in pieces that stand alone: a paragraph, or a list with the line that introduces it."""
    groups: list[list[int]] = []
    for number, block in enumerate(blocks):
        introduces = block.text.endswith(":")
        if number == 0 or block.kind == "code":
            continue
        if introduces and number + 1 < len(blocks) and blocks[number + 1].kind == "code":
            continue
        previous = blocks[number - 1]
        follows = block.kind in ("item", "table") and number - 1 in (groups[-1] if groups else [])
        if follows and (previous.kind == "item" or previous.text.endswith(":")):
            groups[-1].append(number)
        else:
            groups.append([number])
    return groups


def _code(blocks: tuple[Block, ...], question: str, heading: str) -> list[int] | None:
    """Return the number of the code block to show, with the line that introduces it, when the question wants one."""
    promised = len(blocks) > 1 and blocks[1].kind == "code" and blocks[0].text.endswith((":", "...", "…"))
    if not (promised or WANTS_CODE.search(question) or WANTS_CODE.search(heading)):
        return None
    wants = set(re.findall(r"yaml|manifest", question, re.I))
    codes = [n for n, block in enumerate(blocks) if block.kind == "code" and block.text.count("\n") < CODE_LINES]
    codes.sort(key=lambda n: bool(wants) and "yaml" not in blocks[n].markdown[:10])
    if not codes:
        return None
    first = codes[0]
    introduced = first > 1 and blocks[first - 1].kind == "paragraph" and blocks[first - 1].text.endswith(":")
    return [first - 1, first] if introduced else [first]


def _shown(block: Block) -> str:
    return f"- {block.markdown}" if block.kind == "item" else block.markdown


def _join(parts: list[str]) -> str:
    """Join Markdown blocks with blank lines, list items with line breaks."""
    text = parts[0]
    for before, part in itertools.pairwise(parts):
        text += ("\n" if before.startswith("- ") and part.startswith("- ") else "\n\n") + part
    return text


def _lead(section: Section) -> str:
    return _shown(section.blocks[0])


def _link(section: Section) -> str:
    """Return the section's heading as a link; alone where brackets in it would break one."""
    return section.heading if "[" in section.heading else f"[{section.heading}]({section.url})"


def _refusal(finding: Finding) -> str:
    nearest_outside = finding.outside
    if nearest_outside and (not finding.hits or nearest_outside.score > finding.hits[0].score):
        return _lead(nearest_outside.section)
    return "This handbook does not answer that. The nearest sections are listed below."


def _citation(hit: Hit, best: float) -> Citation:
    quote = ""
    for sentence in sentences(hit.section.blocks[0].text):
        if quote and len(quote) + len(sentence) > QUOTE_CHARACTERS:
            break
        quote = f"{quote} {sentence}".strip()
    return Citation(hit.section.title, hit.section.url, quote, round(max(0.0, min(1.0, hit.score / best)), 3))

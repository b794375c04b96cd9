"""How good the answers are, as a table: right, wrongly given, wrongly refused; calibration, ablation, baselines; speed and memory.

`check` asks the golden questions and compares with the site's own search (lunr), plain BM25 and plain MiniLM + FAISS on the same
pages in the same run. `bench` measures time and memory. Knows how to measure, not how to answer.
"""

import json
import re
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from bot.answer import Answer, Answerer
from bot.app import answerer_of, create_answerer
from bot.encoder import BATCH, Encoder
from bot.golden import GOLDEN, Golden, contains, contradicts, is_right, read_golden
from bot.index import Index, build, without_lessons, without_questions
from bot.plots import shown, write_page
from bot.retrieval import PARTS, Hit, Retriever, has_questions, leave_one_out
from bot.sections import Section, squeeze
from bot.settings import Settings

# Shares of the reporting half that `check` demands: (least, most). They stand a little under what was reached, so that they
# catch an edit that breaks answers and not the noise of one question.
THRESHOLDS: dict[str, tuple[float, float]] = {
    "right answers": (0.90, 1.0),
    "right section first": (0.87, 1.0),
    "right section in first three": (0.95, 1.0),
    "verdict contradicted": (0.0, 0.04),
    "false answers, near": (0.0, 0.08),
    "false answers, far": (0.0, 0.02),
    "wrong refusals": (0.0, 0.04),
    "quotes verbatim": (1.0, 1.0),
    "calibration error": (0.0, 0.05),
    "own questions, first": (0.83, 1.0),
    "own questions, first three": (0.96, 1.0),
    "own questions, any section that answers, first": (0.88, 1.0),
    "own questions, any section that answers, first three": (0.97, 1.0),
}
CALIBRATION_BINS = 10  # of equal width; Guo et al. (2017), section 2
OWN_SAMPLE = 1500  # of the handbook's own questions that are asked leave-one-out: the share's standard error is about 1 %
OWN_MARKED = "own-questions.jsonl"  # questions of the handbook, each with all the sections that answer it
STALE_DAYS = 180  # after which a page wants to be reviewed


@dataclass(frozen=True, slots=True)
class Outcome:
    """One golden question and what came of it."""

    golden: Golden
    answer: Answer
    unrefused: Answer  # what would be shown were nothing declined: confidence speaks of this

    @property
    def right(self) -> bool:
        return is_right(self.golden, self.answer) if self.golden.in_scope else not self.false_answer

    @property
    def false_answer(self) -> bool:
        """An out-of-scope question that got an answer (stating a true fact instead is allowed where the question says so)."""
        if self.golden.in_scope or self.answer.status == "declined":
            return False
        return not (self.golden.may_state and self.answer.verdict != "yes")

    @property
    def rank(self) -> int:
        """The rank (1 is best) of the first right section among the citations; 99 when it is not cited."""
        urls = [citation.url for citation in self.answer.citations]
        return min((urls.index(url) + 1 for url in self.golden.sections if url in urls), default=99)


def check(settings: Settings, as_json: bool = False, fast: bool = False, write: Path | None = None, folder: Path = GOLDEN) -> int:
    """Measure with the golden questions in `folder`, print, and return 1 when a figure is outside its threshold.

    The thresholds are the handbook's: questions from another folder, for another site, are only reported.
    """
    answerer = create_answerer(settings)
    golden = read_golden(folder)
    outcomes = [_outcome(answerer, question) for question in tqdm(golden, desc="Golden questions", disable=as_json)]
    halves = {half: [outcome for outcome in outcomes if outcome.golden.half == half] for half in ("tune", "report")}
    report: dict[str, Any] = {
        "date": date.today().isoformat(),
        "index": {name: answerer.retriever.index.manifest[name] for name in ("sections", "questions", "entries", "model")},
        "figures": {half: figures(found, answerer) for half, found in halves.items()},
        "topics": topics(halves["report"]),
        "reliability": reliability(halves["report"]),
        "stale pages": stale_pages(answerer.retriever.index.sections),
    }
    report["figures"]["report"] |= own_questions(answerer.retriever, folder) or own_headings(answerer.retriever)
    if not fast:
        bare = answerer_of(without_questions(answerer.retriever.index), settings).retriever
        asked = [outcome.golden for outcome in halves["report"]]
        report["baselines"] = baselines(answerer, bare.index, settings.site, asked)
        report["ablation"] = ablation(answerer.retriever, bare, asked)
        report["thresholds"] = thresholds(halves["tune"])
    report["failed"] = failed(report["figures"]["report"]) if folder == GOLDEN else []
    report["wrong"] = [_failure(outcome) for outcome in halves["tune"] if not outcome.right]
    if write:
        write_page(report, write)
    print(json.dumps(report, ensure_ascii=False, indent=2)) if as_json else _print(report)
    return 1 if report["failed"] else 0


def _outcome(answerer: Answerer, question: Golden) -> Outcome:
    answer = answerer.ask(question.question, question.history)
    if answer.status != "declined":
        return Outcome(question, answer, answer)
    never = replace(answerer.doubt, answer_at=0.0, unsure_at=0.0)
    return Outcome(question, answer, Answerer(answerer.retriever, never).ask(question.question, question.history))


def figures(outcomes: Sequence[Outcome], answerer: Answerer) -> dict[str, float]:
    """Return shares (0 to 1) and milliseconds over `outcomes`."""
    inside = [outcome for outcome in outcomes if outcome.golden.in_scope]
    labelled = [outcome for outcome in inside if outcome.golden.sections]
    judged = [outcome for outcome in inside if outcome.golden.verdict in ("yes", "no")]
    follow_ups = [outcome for outcome in inside if outcome.golden.history]
    outside = {kind: [outcome for outcome in outcomes if outcome.golden.kind == kind] for kind in ("near", "far", "adversarial")}
    took = [outcome.answer.took_ms for outcome in outcomes]
    texts = {section.url: squeeze(section.text) for section in answerer.retriever.index.sections}
    return {
        "questions in scope": len(inside),
        "questions out of scope": len(outcomes) - len(inside),
        "right answers": share(outcome.right for outcome in inside),
        "right section first": share(outcome.rank == 1 for outcome in labelled),
        "right section in first three": share(outcome.rank <= 3 for outcome in labelled),
        "verdict right": share(outcome.answer.verdict == outcome.golden.verdict for outcome in inside if outcome.golden.verdict),
        "verdict contradicted": share(contradicts(outcome.golden, outcome.answer.verdict) for outcome in judged),
        "wrong refusals": share(outcome.answer.status == "declined" for outcome in inside),
        "unsure, in scope": share(outcome.answer.status == "unsure" for outcome in inside),
        "right follow-ups": share(outcome.right for outcome in follow_ups),
        **{f"false answers, {kind}": share(outcome.false_answer for outcome in found) for kind, found in outside.items()},
        "quotes verbatim": share(_verbatim(outcome.answer, texts) for outcome in outcomes),
        "calibration error": calibration_error(outcomes),
        "words, median": statistics.median([_prose_words(outcome.answer.answer) for outcome in inside] or [0]),
        "milliseconds, median": statistics.median(took or [0]),
        "milliseconds, 95th percentile": float(np.percentile(took or [0], 95)),
    }


def share(hits: Any) -> float:
    """Return the share of true values, 0 for none."""
    values = list(hits)
    return round(sum(values) / len(values), 4) if values else 0.0


def _prose_words(markdown: str) -> int:
    return len(re.sub(r"^(`{3,}).*?^\1$", "", markdown, flags=re.S | re.M).split())


def _verbatim(answer: Answer, texts: dict[str, str]) -> bool:
    return all(citation.quote in texts[citation.url] for citation in answer.citations)


def calibration_error(outcomes: Sequence[Outcome]) -> float:
    """Return the expected calibration error: over bins, the mean gap of confidence and share of right ones, weighted by size."""
    rows = reliability(outcomes)
    total = sum(row["questions"] for row in rows)
    return round(sum(row["questions"] * abs(row["confidence"] - row["right"]) for row in rows) / max(total, 1), 4)


def reliability(outcomes: Sequence[Outcome]) -> list[dict[str, float]]:
    """Return a row a bin of confidence: questions, mean confidence, share whose best section's answer is right."""
    bins: dict[int, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        bins[min(int(outcome.answer.confidence * CALIBRATION_BINS), CALIBRATION_BINS - 1)].append(outcome)
    return [
        {
            "questions": len(found),
            "confidence": round(statistics.mean(outcome.answer.confidence for outcome in found), 4),
            "right": share(_would_be_right(outcome) for outcome in found),
        }
        for _, found in sorted(bins.items())
    ]


def _would_be_right(outcome: Outcome) -> bool:
    """Whether the best section answers, whatever the status: what confidence claims."""
    if not outcome.golden.in_scope:
        return outcome.golden.may_state and outcome.answer.verdict != "yes"
    return is_right(outcome.golden, outcome.unrefused)


def topics(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """Return for each topic the number of questions and the share of right ones."""
    grouped: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        grouped[outcome.golden.topic if outcome.golden.in_scope else f"declined: {outcome.golden.kind}"].append(outcome)
    return {
        topic: {"questions": len(found), "right": share(outcome.right for outcome in found)} for topic, found in sorted(grouped.items())
    }


def own_questions(retriever: Retriever, folder: Path = GOLDEN) -> dict[str, float]:
    """Return leave-one-out shares over the questions beside the sections: own section first, own section in the first three.

    Where `folder` has questions of the site marked with all the sections that answer them, the same of any such section.
    """
    index = retriever.index
    if not has_questions(index):
        return {}
    outside = np.array([section.outside for section in index.sections])
    entries = np.arange(*index.spans["question"])
    entries = entries[~outside[index.owner[entries]]]
    chosen = [int(entry) for entry in np.random.default_rng(1).permutation(entries)[:OWN_SAMPLE]]
    marked = _marked_questions(index, folder)
    blind = Retriever(without_lessons(index, [*chosen, *marked]), retriever.named_weights)
    ranks = {"own questions": leave_one_out(blind, chosen)}
    if marked:
        ranks["own questions, any section that answers"] = leave_one_out(blind, list(marked), list(marked.values()))
    return {
        f"{name}, {which}": share(rank <= most for rank in found)
        for name, found in ranks.items()
        for which, most in (("first", 1), ("first three", 3))
    }


def _marked_questions(index: Index, folder: Path) -> dict[int, set[int]]:
    """Return question entry → its own section and all others that answer it, of the questions in `folder` that the site still has."""
    entries = {text: entry for entry, text in enumerate(index.texts[slice(*index.spans["question"])])}
    numbers = {section.url: number for number, section in enumerate(index.sections)}
    file = folder / OWN_MARKED
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.is_file() else []
    return {
        entry: {int(index.owner[entry])} | {numbers[url] for url in record["sections"] if url in numbers}
        for record in records
        if (entry := entries.get(record["question"])) is not None
    }


def own_headings(retriever: Retriever) -> dict[str, float]:
    """Return the same for a site without questions: each heading asked, with no heading in the index (all are emptied)."""
    index = retriever.index
    asked = [(number, section.heading) for number, section in enumerate(index.sections) if len(section.path) > 1]
    bare = [replace(section, path=(*section.path[:-1], "")) for section in index.sections]
    blind = Retriever(build(bare, {}, index.encoder, lambda texts: _encode(index.encoder, texts), index.manifest), retriever.named_weights)
    ranks = []
    for number, heading in asked[:OWN_SAMPLE]:
        scores = blind.query(heading).parts @ blind.weights
        ranks.append(1 + int((scores > scores[number]).sum()))
    return {"own headings, first": share(rank == 1 for rank in ranks), "own headings, first three": share(rank <= 3 for rank in ranks)}


def _encode(encoder: Encoder, texts: Sequence[str]) -> np.ndarray:
    return np.concatenate([encoder.encode(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)])


def failed(found: dict[str, float]) -> list[str]:
    """Return a sentence for each figure outside its threshold."""
    return [
        f"{name} is {found[name]:.1%}: allowed are {least:.1%} to {most:.1%}"
        for name, (least, most) in THRESHOLDS.items()
        if name in found and not least <= found[name] <= most
    ]


def stale_pages(sections: Sequence[Section]) -> list[str]:
    """Return the pages that were not reviewed for STALE_DAYS days."""
    oldest = (date.today() - timedelta(days=STALE_DAYS)).isoformat()
    return sorted({section.url.split("#")[0] for section in sections if section.reviewed and section.reviewed < oldest})


def thresholds(outcomes: Sequence[Outcome]) -> list[dict[str, float]]:
    """Return the trade-off of the refusal threshold on the tuning half: false answers against wrong refusals."""
    rows = []
    for cut in (0.1, 0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6):
        refused = [outcome for outcome in outcomes if outcome.golden.in_scope and outcome.answer.confidence < cut]
        given = [outcome for outcome in outcomes if not outcome.golden.in_scope and outcome.answer.confidence >= cut]
        inside = sum(outcome.golden.in_scope for outcome in outcomes)
        rows.append(
            {
                "unsure_at": cut,
                "wrong refusals": round(len(refused) / max(inside, 1), 4),
                "false answers": round(len(given) / max(len(outcomes) - inside, 1), 4),
            }
        )
    return rows


def ablation(retriever: Retriever, bare: Retriever, golden: Sequence[Golden]) -> dict[str, dict[str, float]]:
    """Return right section first and in the first three for growing sets of parts, weighted as learned.

    The first steps are taken by `bare`, which searches the same site without the questions beside its headings.
    """
    untaught = without_lessons(retriever.index, range(*retriever.index.spans["question"]))
    vectors = ("heading_vector", "passage_vector")
    steps = {
        "words only": (bare, ("words",)),
        "vectors only": (bare, vectors),
        "both": (bare, ("words", *vectors)),
        "+ headings' words (all of a site without questions)": (bare, ("words", *vectors, "heading_words")),
        "words of text and questions, passages' vectors": (retriever, ("words", "passage_vector")),
        "+ nearest question": (retriever, ("words", "passage_vector", "question_vector")),
        "+ three nearest questions (all)": (retriever, PARTS),
        "all, questions not adapted": (Retriever(untaught, retriever.named_weights), PARTS),
    }
    found = {}
    for name, (searcher, parts) in steps.items():
        step = Retriever(searcher.index, {part: searcher.named_weights.get(part, 0.0) for part in parts})
        found[name] = _ranked(golden, lambda question, r=step: _urls(r.search(r.query(question.question), 3)))  # type: ignore[misc]
    return found


def _urls(hits: Sequence[Hit]) -> list[str]:
    return [hit.section.url for hit in hits]


def _ranked(golden: Sequence[Golden], search: Callable[[Golden], list[str]]) -> dict[str, float]:
    labelled = [question for question in golden if question.sections and not question.history]
    ranks = [next((rank for rank, url in enumerate(search(question), 1) if url in question.sections), 99) for question in labelled]
    return {"first": share(rank == 1 for rank in ranks), "first three": share(rank <= 3 for rank in ranks)}


def baselines(answerer: Answerer, bare: Index, site: Path, golden: Sequence[Golden]) -> dict[str, dict[str, float]]:
    """Return the same measures for searches that people have today, on the same pages: each shows its best section whole.

    BM25 searches `bare`, the index without the questions beside the headings. They never decline, so every out-of-scope question
    is a false answer; "right" wants the needed facts in the section's text.
    """
    index = answerer.retriever.index
    texts = {section.url: section.text for section in index.sections}

    def measured(search: Callable[[Golden], list[str]]) -> dict[str, float]:
        inside = [question for question in golden if question.in_scope]
        shown = [texts.get((search(question) or [""])[0], "") for question in inside]
        right = share(contains(text, question.must_contain) for text, question in zip(shown, inside, strict=True))
        return _ranked(golden, search) | {"right answers": right}

    plain = Retriever(bare, {"words": 1.0})
    vectors = Retriever(index, {"passage_vector": 1.0})
    return {
        "site search (lunr)": measured(_lunr(site)),
        "plain BM25": measured(lambda question: _urls(plain.search(plain.query(question.question), 3))),
        "plain MiniLM + FAISS": measured(lambda question: _urls(vectors.search(vectors.query(question.question), 3))),
        "Portside": measured(lambda question: _urls(answerer.retriever.search(answerer.retriever.query(question.question), 3))),
    }


def _lunr(site: Path) -> Callable[[Golden], list[str]]:
    """Return the site's own search: lunr over the search index that the theme ships, title and text, as the browser runs it."""
    from lunr import lunr

    file = site / "search" / "search_index.json"
    if not file.is_file():
        return lambda _: []
    documents = json.loads(file.read_text(encoding="utf-8"))["docs"]
    index = lunr(ref="location", fields=[{"field_name": "title", "boost": 1000}, "text"], documents=documents)

    def search(question: Golden) -> list[str]:
        words = " ".join(re.findall(r"\w+", question.question))
        return [f"/{hit['ref']}" for hit in index.search(words)[:3]] if words else []

    return search


def _failure(outcome: Outcome) -> dict[str, Any]:
    return {
        "id": outcome.golden.id,
        "question": outcome.golden.question,
        "status": outcome.answer.status,
        "verdict": [outcome.golden.verdict, outcome.answer.verdict],
        "confidence": outcome.answer.confidence,
        "cited": [citation.url for citation in outcome.answer.citations],
        "sections": outcome.golden.sections,
        "missing": [group for group in outcome.golden.must_contain if not contains(outcome.answer.answer, [group])],
    }


def _print(report: dict[str, Any]) -> None:
    console = Console()
    table = Table("Figure", "tuning half", "reporting half", "allowed", title=f"Golden questions, {report['date']}")
    for name, value in report["figures"]["report"].items():
        least, most = THRESHOLDS.get(name, (None, None))
        allowed = "" if least is None or most is None else f"≥ {least:.0%}" if most == 1.0 else f"≤ {most:.0%}"
        table.add_row(name, shown(name, report["figures"]["tune"].get(name)), shown(name, value), allowed)
    console.print(table)
    for title, columns in (("baselines", ("right answers", "first", "first three")), ("ablation", ("first", "first three"))):
        if title in report:
            table = Table(title.capitalize() + " (reporting half)", *columns)
            for name, row in report[title].items():
                table.add_row(name, *(f"{row[column]:.1%}" for column in columns))
            console.print(table)
    table = Table("Confidence", "questions", "right", title="Reliability (reporting half)")
    for row in report["reliability"]:
        table.add_row(f"{row['confidence']:.2f}", str(row["questions"]), f"{row['right']:.0%}")
    console.print(table)
    table = Table("Topic", "questions", "right", title="Topics (reporting half)")
    for topic, row in report["topics"].items():
        table.add_row(topic, str(row["questions"]), f"{row['right']:.0%}")
    console.print(table)
    for page in report["stale pages"]:
        console.print(f"not reviewed for {STALE_DAYS} days: {page}", style="yellow")
    for sentence in report["failed"]:
        console.print(sentence, style="bold red")


def bench(settings: Settings, as_json: bool = False) -> int:
    """Measure start, answer time over HTTP, memory, and the ratio to plain sentence-transformers + FAISS in the same run."""
    from bot.benchmark import measure

    found = measure(settings)
    if as_json:
        print(json.dumps(found, indent=2))
        return 0
    table = Table("Figure", "value", title="Speed and memory")
    for name, value in found.items():
        table.add_row(name, f"{value:.2f}" if isinstance(value, float) else str(value))
    Console(file=sys.stdout).print(table)
    return 0

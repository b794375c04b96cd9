"""Sections and vectors ⇄ a folder on disk: build, save whole or not at all, load, refuse what does not fit.

An entry is what one vector stands for: a question of a section, its headings, or a passage of its text. Question entries come
first, then headings, then passages, each in the order of the sections. Does not rank anything.
"""

import json
import re
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import bm25s
import faiss
import numpy as np

from bot.adapter import Adapter, adapt, learn
from bot.encoder import Encoder, OnnxEncoder
from bot.errors import IndexProblem
from bot.sections import Block, Section, fingerprint
from bot.words import Vocabulary

FORMAT = 6  # of the folder; raised when an older bot could not read a newer index, or the other way round
KINDS = ("question", "heading", "passage")
PASSAGE_WORDS = 110  # a passage fits the model's 256 tokens with its heading in front, identifiers included
OVERLAP_SENTENCES = 1  # that two neighboring passages share
SCOPE_RIDGE = 1e-3  # against unit vectors; keeps the line from following single questions (a first guess, not searched)
MANY = 10_000  # vectors, from which a sieve before the exact comparison saves more than it costs
SIFTED = 4  # which finds 99.99 % of the 256 nearest among 46,000 questions, in two fifths of the time that comparing all takes
BM25_K1, BM25_B = 1.2, 0.75  # Robertson & Zaragoza (2009), section 3.4; Lucene's defaults

Encode = Callable[[Sequence[str]], np.ndarray]


@dataclass(frozen=True, slots=True)
class Words:
    """BM25 over a list of texts, with scores as a share of the best that the query could reach."""

    bm25: bm25s.BM25
    mean_terms: float = 0.0  # a text, where `score_of` is to be used

    @classmethod
    def of(cls, texts: Sequence[list[str]]) -> "Words":
        bm25 = bm25s.BM25(method="lucene", k1=BM25_K1, b=BM25_B)
        bm25.index([terms or ["∅"] for terms in texts] or [["∅"]], show_progress=False)
        return cls(bm25, sum(map(len, texts)) / max(len(texts), 1))

    def scores(self, terms: list[str]) -> np.ndarray:
        """Return a float32 array (texts,) in [0, 1]: BM25 divided by the sum of the terms' idf, unknown terms included.

        A term that no text holds counts with the highest idf, so a query about something else scores low.
        """
        ids, _, best = self._weights(terms)
        if not len(ids):
            return np.zeros(int(self.bm25.scores["num_docs"]), dtype=np.float32)
        return np.asarray(self.bm25.get_scores_from_ids(ids) / best, dtype=np.float32)

    def score_of(self, terms: list[str], text: list[str]) -> float:
        """Return what `scores` would give for one text of these terms, were it in the place of one that is there."""
        ids, idf, best = self._weights(terms)
        known = [term for term in dict.fromkeys(terms) if term in self.bm25.vocab_dict]
        counts = np.array([text.count(term) for term in known], dtype=np.float64)
        length = BM25_K1 * (1 - BM25_B + BM25_B * len(text) / max(self.mean_terms, 1.0))
        return float((idf * counts / (counts + length)).sum() / best) if len(ids) else 0.0

    def _weights(self, terms: list[str]) -> tuple[np.ndarray, np.ndarray, float]:
        """Return the ids and idf of the known terms, and the sum of the idf of all."""
        unique = list(dict.fromkeys(terms))
        ids = np.array([self.bm25.vocab_dict[term] for term in unique if term in self.bm25.vocab_dict], dtype=np.int32)
        count = int(self.bm25.scores["num_docs"])
        pointers = self.bm25.scores["indptr"]
        documents = (pointers[ids + 1] - pointers[ids]).astype(np.float64) if len(ids) else np.zeros(0)
        idf = np.log(1 + (count - documents + 0.5) / (documents + 0.5))
        unknown = (len(unique) - len(ids)) * np.log(1 + (count + 0.5) / 0.5)
        return ids, idf, float(idf.sum() + unknown)


@dataclass(frozen=True, slots=True)
class Index:
    """Everything that retrieval needs. `owner[e]` is the section of entry e; `spans[kind]` its first entry and last entry + 1."""

    sections: list[Section]
    texts: list[str]  # (entries,) what each vector was made from
    owner: np.ndarray  # (entries,) int32
    spans: dict[str, tuple[int, int]]
    vectors: np.ndarray  # (entries, dimension) float32 unit vectors as the encoder gives them; on disk until they are needed
    adapter: Adapter  # what the vectors of questions go through before they are compared
    near_questions: faiss.Index  # of the questions' adapted vectors
    near_texts: faiss.Index  # of the vectors of headings and passages
    words: Words  # one text a section: headings, body and all its questions
    heading_words: Words  # one text a section: headings alone, where products and problems are named
    written: frozenset[str]  # the terms of headings and bodies: what the site itself speaks of
    scope: np.ndarray  # (dimension + 1,) a line between questions that the site answers and those it leaves to others
    vocabulary: Vocabulary
    encoder: Encoder
    manifest: dict[str, Any]


def build(
    sections: list[Section],
    abbreviations: dict[str, str],
    encoder: Encoder,
    encode: Encode,
    manifest: dict[str, Any],
    adapter: Adapter | None = None,
    progress: bool = False,
) -> Index:
    """Return the index of `sections`; `encode` turns the entries' texts into unit vectors (it may know some already).

    An `adapter` that was learned before is kept; without one it is learned from the questions, with a bar that shows `progress`.
    """
    entries = [entry for kind in KINDS for entry in _entries(sections, kind)]
    texts = [text for _, _, text in entries]
    kinds = [kind for _, kind, _ in entries]
    vectors = encode(texts)
    vocabulary = Vocabulary.learn([section.title + "\n" + section.text for section in sections] + texts, abbreviations)
    spans = {kind: (kinds.index(kind), kinds.index(kind) + kinds.count(kind)) if kind in kinds else (0, 0) for kind in KINDS}
    words = Words.of([all_terms(section, vocabulary) for section in sections])
    owner = np.array([owner for owner, _, _ in entries], dtype=np.int32)
    asked = slice(*spans["question"])
    adapter = adapter or learn(vectors[asked], owner[asked], progress=progress)
    return Index(
        sections=sections,
        texts=texts,
        owner=owner,
        spans=spans,
        vectors=vectors,
        adapter=adapter,
        near_questions=_near(adapt(vectors[asked], adapter)),
        near_texts=_near(vectors[asked.stop :]),
        words=words,
        heading_words=Words.of([vocabulary.terms(section.title) for section in sections]),
        written=frozenset(term for section in sections for term in all_terms(section, vocabulary, without=section.questions)),
        scope=_scope(sections, vectors[asked], owner[asked]),
        vocabulary=vocabulary,
        encoder=encoder,
        manifest=manifest
        | {"format": FORMAT, "model": encoder.name, "built": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        | {"sections": len(sections), "entries": len(texts), "questions": asked.stop - asked.start, "mean_terms": words.mean_terms},
    )


def _near(vectors: np.ndarray) -> faiss.Index:
    """Return the FAISS index of `vectors` for inner products: as 16-bit floats (half the memory), from MANY on behind a coarse sieve.

    The sieve holds 4 bits a pair of numbers (product quantization, Jégou et al., 2011, as André et al., 2015, scan it) and lets
    SIFTED times as many vectors through as are asked for; those are compared exactly.
    """
    count, dimension = vectors.shape
    vectors = np.ascontiguousarray(vectors)
    exact = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    exact.add(vectors)
    if count < MANY or dimension % 2:
        return exact
    sieve = faiss.IndexPQFastScan(dimension, dimension // 2, 4, faiss.METRIC_INNER_PRODUCT)
    sieve.train(vectors)
    sieve.add(vectors)
    both = faiss.IndexRefine(sieve, exact)
    both.k_factor = SIFTED
    return both


def without_lessons(index: Index, entries: Sequence[int]) -> Index:
    """Return `index` with an adapter that never saw the question `entries`: for measuring by asking them."""
    seen = np.setdiff1d(np.arange(*index.spans["question"]), entries)
    adapter = learn(index.vectors[seen], index.owner[seen])
    return replace(index, adapter=adapter, near_questions=_near(adapt(index.vectors[slice(*index.spans["question"])], adapter)))


def without_questions(index: Index) -> Index:
    """Return `index` as it would be of a site that has no questions beside its headings and no page about the outside: for measuring."""
    known = dict(zip(index.texts, index.vectors, strict=True))
    sections = [replace(section, questions=()) for section in index.sections if not section.outside]
    return build(sections, {}, index.encoder, lambda texts: np.stack([known[text] for text in texts]), index.manifest)


def all_terms(section: Section, vocabulary: Vocabulary, without: Sequence[str] = ()) -> list[str]:
    """Return the terms of a section's headings (its own twice), its body, and its questions but those of `without`."""
    questions = [question for question in section.questions if question not in without]
    return vocabulary.terms("\n".join([section.title, section.heading, section.text, *questions]))


def _scope(sections: list[Section], vectors: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """Return weights and bias of a ridge regression on question vectors: 1 for inside, -1 for outside, both classes weighing the same.

    All zeros where the site has no questions, or no page about what it leaves to others. (Hastie et al., 2009, section 3.4.1.)
    """
    outside = np.array([sections[owner].outside for owner in owners], dtype=bool)
    if not outside.any() or outside.all():
        return np.zeros(vectors.shape[1] + 1, dtype=np.float32)
    rows = np.hstack([vectors, np.ones((len(vectors), 1), dtype=np.float32)])
    weight = np.where(outside, 0.5 / outside.sum(), 0.5 / (~outside).sum())[:, None]
    gram = rows.T @ (rows * weight) + SCOPE_RIDGE * np.eye(rows.shape[1])
    return np.linalg.solve(gram, rows.T @ (weight[:, 0] * np.where(outside, -1.0, 1.0))).astype(np.float32)


def _entries(sections: list[Section], kind: str) -> list[tuple[int, str, str]]:
    made: dict[str, Callable[[Section], list[str]]] = {
        "question": lambda section: list(section.questions),
        "heading": lambda section: [". ".join(section.path[-2:])],
        "passage": passages,
    }
    return [(owner, kind, text) for owner, section in enumerate(sections) for text in made[kind](section)]


def passages(section: Section) -> list[str]:
    """Return the section's text in pieces of up to PASSAGE_WORDS words, each under the section's heading.

    Pieces overlap by OVERLAP_SENTENCES sentences; a code block, table or list item is never cut.
    """
    pieces: list[list[str]] = [[]]
    for unit in _units(section.blocks):
        if pieces[-1] and sum(len(part.split()) for part in pieces[-1]) + len(unit.split()) > PASSAGE_WORDS:
            pieces.append(pieces[-1][-OVERLAP_SENTENCES:] if len(pieces[-1][-1].split()) < PASSAGE_WORDS // 2 else [])
        pieces[-1].append(unit)
    return [f"{section.heading} {' '.join(piece)}" for piece in pieces if piece]


def _units(blocks: tuple[Block, ...]) -> list[str]:
    return [unit for block in blocks for unit in (sentences(block.text) if block.kind == "paragraph" else [block.text])]


def sentences(text: str) -> list[str]:
    """Return the sentences of `text`: split after . ! ? before a capital, a digit or a quote, and not after e.g. or i.e."""
    return re.split(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?<!vs\.)\s+(?=[A-Z0-9\"'`(*])", text.strip())


def known_vectors(folder: Path, model: str) -> dict[str, np.ndarray]:
    """Return text → vector of the index in `folder`, of whatever format has them, for an incremental build; empty where none can be had."""
    try:
        if json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["model"] != model:
            return {}
        texts = json.loads((folder / "entries.json").read_text(encoding="utf-8"))["texts"]
        return dict(zip(texts, np.load(folder / "vectors.npy"), strict=True))
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return {}


def known_adapter(folder: Path) -> Adapter | None:
    """Return the adapter of the index in `folder`, None where there is none that can be read."""
    try:
        return _adapter(folder)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def _adapter(folder: Path) -> Adapter:
    with np.load(folder / "adapter.npz") as weights:
        return Adapter(**{field.name: weights[field.name] for field in fields(Adapter)})


def save(index: Index, folder: Path, write_encoder: Callable[[Path], object]) -> None:
    """Write `index` beside `folder` and rename it into place: a crash leaves the old index or the new one, never half of one.

    `write_encoder` puts model.onnx and tokenizer.json into the folder that it is given.
    """
    beside = folder.with_name(folder.name + ".new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    if (folder / "README.md").is_file():
        shutil.copyfile(folder / "README.md", beside / "README.md")
    write_encoder(beside / "encoder")
    with (beside / "sections.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(section), ensure_ascii=False) + "\n" for section in index.sections)
    (beside / "entries.json").write_text(json.dumps({"texts": index.texts, "spans": index.spans}), encoding="utf-8")
    (beside / "vocabulary.json").write_text(json.dumps(asdict(index.vocabulary)), encoding="utf-8")
    np.save(beside / "owner.npy", index.owner)
    np.save(beside / "vectors.npy", index.vectors)
    np.savez(beside / "adapter.npz", **asdict(index.adapter))
    faiss.write_index(index.near_questions, str(beside / "near_questions.faiss"))
    faiss.write_index(index.near_texts, str(beside / "near_texts.faiss"))
    index.words.bm25.save(str(beside / "words"), show_progress=False)
    index.heading_words.bm25.save(str(beside / "heading_words"), show_progress=False)
    (beside / "written.json").write_text(json.dumps(sorted(index.written)), encoding="utf-8")
    np.save(beside / "scope.npy", index.scope)
    files = [path for path in sorted(beside.rglob("*")) if path.is_file() and path != beside / "README.md"]
    sizes = {path.relative_to(beside).as_posix(): path.stat().st_size for path in files}
    (beside / "manifest.json").write_text(json.dumps(index.manifest | {"files": sizes}, indent=2), encoding="utf-8")
    _swap(beside, folder)


def _swap(beside: Path, folder: Path) -> None:
    old = _old(folder)
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    beside.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _old(folder: Path) -> Path:
    return folder.with_name(folder.name + ".old")


def _recover(folder: Path) -> None:
    """Put the old index back where a crash between the two renames of `_swap` left none."""
    if not folder.exists() and _old(folder).is_dir():
        _old(folder).rename(folder)


def load(folder: Path, site: Path | None = None, encoder: Encoder | None = None) -> Index:
    """Return the index in `folder`; with `site`, only if it was built from that site as it stands now.

    Questions are encoded by `encoder`, without one by the model that was exported into the folder.
    Raises IndexProblem that says what does not fit and what to do.
    """
    _recover(folder)
    manifest = read_manifest(folder)
    if site is not None and manifest.get("site") != fingerprint(site):
        raise IndexProblem(f"The index in {folder} is not of the site in {site} as it is now: run `python -m bot build`.", "index-stale")
    faiss.omp_set_num_threads(1)  # one question is too little work to share; threads that wait for each other cost more
    try:
        with (folder / "sections.jsonl").open(encoding="utf-8") as file:
            sections = [_section(json.loads(line)) for line in file]
        entries = json.loads((folder / "entries.json").read_text(encoding="utf-8"))
        spans = {kind: (int(span[0]), int(span[1])) for kind, span in entries["spans"].items()}
        return Index(
            sections=sections,
            texts=entries["texts"],
            owner=np.load(folder / "owner.npy"),
            spans=spans,
            vectors=np.load(folder / "vectors.npy", mmap_mode="r"),
            adapter=_adapter(folder),
            near_questions=faiss.read_index(str(folder / "near_questions.faiss")),
            near_texts=faiss.read_index(str(folder / "near_texts.faiss")),
            words=Words(bm25s.BM25.load(str(folder / "words"), show_progress=False), float(manifest["mean_terms"])),
            heading_words=Words(bm25s.BM25.load(str(folder / "heading_words"), show_progress=False)),
            written=frozenset(json.loads((folder / "written.json").read_text(encoding="utf-8"))),
            scope=np.load(folder / "scope.npy"),
            vocabulary=Vocabulary(**json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))),
            encoder=encoder or OnnxEncoder(folder / "encoder", manifest["model"]),
            manifest=manifest,
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, BadZipFile) as problem:
        raise _broken(folder, str(problem)) from problem


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of the index in `folder`, its format and the sizes of its files checked."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise IndexProblem(f"There is no index in {folder}: run `python -m bot build` (or `make build`).")
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        files = dict(manifest["files"])
    except (ValueError, KeyError, TypeError) as problem:
        raise _broken(folder, f"manifest.json: {problem}") from problem
    if manifest.get("format") != FORMAT:
        raise IndexProblem(
            f"The index in {folder} has format {manifest.get('format')}, this bot reads {FORMAT}: run `python -m bot build`.",
            "index-version",
        )
    for name, size in files.items():
        file = folder / name
        if not file.is_file() or file.stat().st_size != size:
            raise _broken(folder, f"{name} is missing or has another size")
    return manifest


def check_model(manifest: dict[str, Any], model: str, folder: Path) -> None:
    """Raise IndexProblem unless the index was built with `model`."""
    if manifest["model"] != model:
        raise IndexProblem(
            f"The index in {folder} was built with {manifest['model']}, not {model}: run `python -m bot build`.", "index-model"
        )


def _broken(folder: Path, why: str) -> IndexProblem:
    return IndexProblem(f"The index in {folder} is broken ({why}): run `python -m bot build` again.", "index-broken")


def _section(record: dict[str, Any]) -> Section:
    blocks = tuple(Block(**block) for block in record.pop("blocks"))
    path, questions = tuple(record.pop("path")), tuple(record.pop("questions"))
    return Section(blocks=blocks, path=path, questions=questions, **record)

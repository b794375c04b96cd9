"""The index folder: whole or not at all, refused when it does not fit, and built again only where something changed."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import faiss
import numpy as np
import pytest

from bot.encoder import DEFAULT_MODEL
from bot.errors import IndexProblem
from bot.index import (
    MANY,
    PASSAGE_WORDS,
    Index,
    Words,
    _near,
    build,
    check_model,
    known_vectors,
    load,
    passages,
    read_manifest,
    save,
    sentences,
)
from bot.sections import Block, Section, abbreviations, read
from tests.conftest import ROOT, WordEncoder, index_of, no_encoder
from tests.small_site import INGRESS


@pytest.fixture
def folder(index_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(index_folder, tmp_path / "index")


def test_what_is_loaded_is_what_was_saved(index: Index, site: Path) -> None:
    made = index_of(site, WordEncoder())
    assert index.sections == made.sections
    assert index.texts == made.texts
    assert index.spans == made.spans
    assert asdict(index.vocabulary) == asdict(made.vocabulary)
    np.testing.assert_array_equal(index.owner, made.owner)
    np.testing.assert_array_equal(index.vectors, made.vectors)
    for weights in ("straight", "up", "bias", "down"):
        np.testing.assert_array_equal(getattr(index.adapter, weights), getattr(made.adapter, weights))
    row = made.vectors[:1]
    for near in ("near_questions", "near_texts"):
        np.testing.assert_array_equal(getattr(index, near).search(row, 5)[0], getattr(made, near).search(row, 5)[0])
    np.testing.assert_array_equal(index.words.scores(["udp"]), made.words.scores(["udp"]))


def test_every_entry_belongs_to_the_section_it_was_made_from(index: Index) -> None:
    start, end = index.spans["question"]
    for entry in range(start, end):
        assert index.texts[entry] in index.sections[index.owner[entry]].questions
    assert set(index.owner.tolist()) == set(range(len(index.sections)))


def test_saving_leaves_nothing_beside_the_folder_and_keeps_its_readme(index: Index, folder: Path) -> None:
    (folder / "README.md").write_text("what this is", encoding="utf-8")
    save(index, folder, no_encoder)
    assert [path.name for path in folder.parent.iterdir()] == ["index"]
    assert (folder / "README.md").read_text(encoding="utf-8") == "what this is"
    assert load(folder, encoder=WordEncoder()).texts == index.texts


def test_a_failure_in_the_middle_leaves_the_old_index(index: Index, folder: Path) -> None:
    def disk_full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        save(index, folder, disk_full)
    assert load(folder, encoder=WordEncoder()).texts == index.texts


CRASH = """
import os, sys
from pathlib import Path
from bot.index import build, save
from bot.sections import abbreviations, read
from tests.conftest import ROOT, WordEncoder, no_encoder
site, folder, moment = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
def audit(event, arguments):
    global moment
    if event == "open" and isinstance(arguments[0], str) and ".new" in arguments[0]:
        moment -= 1
        if moment == 0:
            os._exit(9)
sys.addaudithook(audit)
encoder = WordEncoder()
save(build(read(site), abbreviations(site), encoder, encoder.encode, {"site": "new"}), folder, no_encoder)
"""


@pytest.mark.parametrize("moment", [1, 3, 6])
def test_a_process_killed_while_it_saves_leaves_the_old_index(site: Path, folder: Path, moment: int) -> None:
    killed = subprocess.run([sys.executable, "-c", CRASH, str(site), str(folder), str(moment)], cwd=ROOT, capture_output=True, check=False)
    assert killed.returncode == 9, killed.stderr.decode()
    assert load(folder, site, WordEncoder()).manifest["site"] != "new"
    save(index_of(site, WordEncoder()), folder, no_encoder)
    assert [path.name for path in folder.parent.iterdir()] == ["index"]


def test_a_process_killed_before_the_first_save_leaves_no_index(site: Path, tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", CRASH, str(site), str(tmp_path / "index"), "4"], cwd=ROOT, capture_output=True, check=False
    )
    assert killed.returncode == 9, killed.stderr.decode()
    with pytest.raises(IndexProblem, match="There is no index"):
        load(tmp_path / "index", encoder=WordEncoder())


def test_a_crash_between_the_two_renames_of_a_save_leaves_the_old_index(site: Path, folder: Path) -> None:
    folder.rename(folder.with_name(folder.name + ".old"))
    assert load(folder, site, WordEncoder()).sections
    assert folder.is_dir()


def change_manifest(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def truncate(folder: Path, name: str) -> None:
    file = folder / name
    file.write_bytes(file.read_bytes()[:-1])


def garble(folder: Path, name: str) -> None:
    file = folder / name
    file.write_bytes(b"\xff" * file.stat().st_size)


def test_many_vectors_are_sifted_first_and_the_nearest_are_found_all_the_same(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    places = random.normal(size=(MANY // 10, 32))
    vectors = (places[random.integers(len(places), size=MANY)] + random.normal(scale=0.5, size=(MANY, 32))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    faiss.write_index(_near(vectors), str(tmp_path / "near"))
    sifting, exact = faiss.read_index(str(tmp_path / "near")), _near(vectors[: MANY - 1])
    assert type(sifting) is not type(exact)
    cosines, entries = sifting.search(vectors[:50], 100)
    nearest = np.argsort(-(vectors[:50] @ vectors.T), axis=1)[:, :100]
    assert np.mean([len(set(found) & set(wanted)) for found, wanted in zip(entries, nearest, strict=True)]) > 90
    assert all(set(wanted[:10]) <= set(found) for found, wanted in zip(entries, nearest, strict=True))
    np.testing.assert_allclose(cosines[:, 0], 1.0, atol=2e-3)


FILES = [
    *("sections.jsonl", "entries.json", "owner.npy", "vectors.npy", "adapter.npz", "near_questions.faiss", "near_texts.faiss"),
    *("vocabulary.json", "words/vocab.index.json"),
]
UNFIT: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (shutil.rmtree, "index-missing"),
    "half written": (lambda folder: (folder / "manifest.json").unlink(), "index-missing"),
    "empty manifest": (lambda folder: (folder / "manifest.json").write_text("", encoding="utf-8"), "index-broken"),
    "manifest of another shape": (lambda folder: (folder / "manifest.json").write_text("[]", encoding="utf-8"), "index-broken"),
    "older format": (lambda folder: change_manifest(folder, format=0), "index-version"),
    "newer format": (lambda folder: change_manifest(folder, format=99), "index-version"),
    **{f"{name} missing": (lambda folder, name=name: (folder / name).unlink(), "index-broken") for name in FILES},  # type: ignore[misc]
    **{f"{name} truncated": (lambda folder, name=name: truncate(folder, name), "index-broken") for name in FILES},  # type: ignore[misc]
    **{f"{name} garbled": (lambda folder, name=name: garble(folder, name), "index-broken") for name in FILES},  # type: ignore[misc]
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_folder_that_does_not_fit_is_refused_with_what_to_do(folder: Path, name: str) -> None:
    spoil, code = UNFIT[name]
    spoil(folder)
    with pytest.raises(IndexProblem, match="python -m bot build") as refused:
        load(folder, encoder=WordEncoder())
    assert refused.value.code == code


def test_the_folder_s_own_readme_may_be_edited(folder: Path) -> None:
    (folder / "README.md").write_text("another text", encoding="utf-8")
    load(folder, encoder=WordEncoder())


def test_an_index_of_another_site_is_refused(folder: Path, site: Path, tmp_path: Path) -> None:
    changed = shutil.copytree(site, tmp_path / "site")
    (changed / "ingress" / "index.html").write_text(INGRESS.replace("no field", "no word"), encoding="utf-8")
    load(folder, site, WordEncoder())
    with pytest.raises(IndexProblem, match="python -m bot build") as refused:
        load(folder, changed, WordEncoder())
    assert refused.value.code == "index-stale"


def test_an_index_of_another_model_is_refused(folder: Path) -> None:
    check_model(read_manifest(folder), "bag-of-words", folder)
    with pytest.raises(IndexProblem, match="was built with bag-of-words, not other") as refused:
        check_model(read_manifest(folder), "other", folder)
    assert refused.value.code == "index-model"


def test_an_unfit_index_has_no_known_vectors(folder: Path, tmp_path: Path, real_index: Path) -> None:
    assert known_vectors(tmp_path / "nowhere", DEFAULT_MODEL) == {}
    assert known_vectors(folder, DEFAULT_MODEL) == {}  # another model
    assert known_vectors(real_index, "another model") == {}
    broken = shutil.copytree(real_index, tmp_path / "broken")
    garble(broken, "vectors.npy")
    assert known_vectors(broken, DEFAULT_MODEL) == {}


def test_known_vectors_are_those_of_the_texts(real_index: Path) -> None:
    known = known_vectors(real_index, DEFAULT_MODEL)
    assert len(known) > 50
    assert known["ingress udp"].shape == (384,)


def test_a_passage_is_under_its_heading_and_not_too_long() -> None:
    long = Block("paragraph", "", "")
    sentence = "One two three four five six seven eight nine ten. "
    section = Section("/a/#b", ("A", "B"), (Block("paragraph", sentence * 30, ""), Block("code", "x " * 300, ""), long))
    made = passages(section)
    assert all(passage.startswith("B ") for passage in made)
    assert all(len(passage.split()) <= PASSAGE_WORDS + 1 for passage in made if "x x" not in passage)
    assert sum("x x" in passage for passage in made) == 1, "code is never cut"
    assert made[0].split(". ")[-1].strip(".") in made[1], "neighbors overlap by a sentence"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Use it, e.g. Traefik. Then go.", ["Use it, e.g. Traefik.", "Then go."]),
        ("Version 1.36 is out", ["Version 1.36 is out"]),
        ("", [""]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_word_scores_are_shares_and_unknown_terms_lower_them() -> None:
    words = Words.of([["ingress", "udp"], ["gateway", "grpc"], ["ingress", "tls"], []])
    scores = words.scores(["udp"])
    assert scores.argmax() == 0
    assert 0 < scores[0] <= 1
    assert words.scores(["udp", "borscht"])[0] < scores[0]
    assert not words.scores(["borscht"]).any()
    assert not words.scores([]).any()


def test_a_site_without_questions_can_be_indexed(site: Path, tmp_path: Path) -> None:
    encoder = WordEncoder()
    sections = [Section(s.url, s.path, s.blocks) for s in read(site)]
    save(build(sections, abbreviations(site), encoder, encoder.encode, {"site": ""}), tmp_path / "index", no_encoder)
    loaded = load(tmp_path / "index", encoder=encoder)
    assert loaded.spans["question"] == (0, 0)
    assert loaded.manifest["questions"] == 0


def test_only_given_texts_are_encoded_once(site: Path) -> None:
    counted: list[int] = []
    encoder = WordEncoder()

    def encode(texts: Sequence[str]) -> np.ndarray:
        counted.append(len(texts))
        return encoder.encode(texts)

    made = build(read(site), {}, encoder, encode, {})
    assert counted == [len(made.texts)]

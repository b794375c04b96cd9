"""Building with the real model: whole at first, then only what changed."""

import json
import re
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from bot import building
from bot.adapter import identity
from bot.building import build_index
from bot.encoder import DEFAULT_MODEL
from bot.errors import SiteProblem
from bot.index import load
from tests.small_site import INGRESS


def counted(sentence: str) -> tuple[int, int]:
    found = re.search(r"(\d+) of (\d+) texts encoded", sentence)
    assert found, sentence
    return int(found[1]), int(found[2])


@pytest.fixture
def copies(site: Path, real_index: Path, tmp_path: Path) -> tuple[Path, Path]:
    return shutil.copytree(site, tmp_path / "site"), shutil.copytree(real_index, tmp_path / "index")


def test_an_index_that_is_current_is_left_alone(copies: tuple[Path, Path]) -> None:
    site, folder = copies
    before = (folder / "manifest.json").read_bytes()
    assert build_index(site, folder, DEFAULT_MODEL) == f"The index in {folder} is current"
    assert (folder / "manifest.json").read_bytes() == before


def test_only_texts_that_changed_are_encoded_again(copies: tuple[Path, Path]) -> None:
    site, folder = copies
    total = len(load(folder).texts)
    (site / "ingress" / "index.html").write_text(INGRESS.replace("no field for a protocol", "no place for a protocol"), encoding="utf-8")
    assert counted(build_index(site, folder, DEFAULT_MODEL)) == (1, total)
    changed = load(folder, site)
    assert any("no place for a protocol" in text for text in changed.texts)
    assert (folder / "encoder" / "model.onnx").is_file()


def test_a_change_without_new_text_encodes_nothing(copies: tuple[Path, Path]) -> None:
    site, folder = copies
    (site / "ports" / "index.html").unlink()
    encoded, total = counted(build_index(site, folder, DEFAULT_MODEL))
    assert encoded == 0
    assert load(folder, site).manifest["entries"] == total


def test_the_adapter_is_kept_while_few_questions_are_new(copies: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    site, folder = copies
    marked = replace(load(folder).adapter, straight=2 * np.eye(384, dtype=np.float32))
    np.savez(folder / "adapter.npz", **asdict(marked))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["adapter.npz"] = (folder / "adapter.npz").stat().st_size
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (site / "ingress" / "index.html").write_text(
        INGRESS.replace("<!-- questions\n", "<!-- questions\n- is this one new\n", 1), encoding="utf-8"
    )
    monkeypatch.setattr(building, "UNTAUGHT", 1.0)
    build_index(site, folder, DEFAULT_MODEL)
    kept = load(folder, site)
    np.testing.assert_array_equal(kept.adapter.straight, marked.straight)
    assert kept.manifest["untaught"] == 1
    (site / "ports" / "index.html").unlink()
    monkeypatch.setattr(building, "UNTAUGHT", 0.0)
    build_index(site, folder, DEFAULT_MODEL)
    learned = load(folder, site)
    np.testing.assert_array_equal(learned.adapter.straight, identity(384).straight)
    assert learned.manifest["untaught"] == 0


def test_without_a_site_nothing_is_built(tmp_path: Path) -> None:
    with pytest.raises(SiteProblem):
        build_index(tmp_path / "nowhere", tmp_path / "index", DEFAULT_MODEL)
    assert not (tmp_path / "index").exists()

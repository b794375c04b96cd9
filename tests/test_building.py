"""Building with the real model: whole at first, then only what changed."""

import re
import shutil
from pathlib import Path

import pytest

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


def test_without_a_site_nothing_is_built(tmp_path: Path) -> None:
    with pytest.raises(SiteProblem):
        build_index(tmp_path / "nowhere", tmp_path / "index", DEFAULT_MODEL)
    assert not (tmp_path / "index").exists()

"""The composition root: the real parts over the real model, refused when they do not fit together."""

import json
import shutil
from pathlib import Path

import pytest

from bot.answer import Answerer
from bot.app import TUNING, answerer_of, create_answerer, create_app
from bot.errors import IndexProblem
from bot.index import Index, build, load
from bot.journal import Journal
from bot.retrieval import PARTS
from bot.sections import Section
from bot.settings import read_settings
from tests.conftest import Client, WordEncoder


def test_the_app_answers_from_the_index_that_was_built(site: Path, real_index: Path, tmp_path: Path) -> None:
    app = create_app(read_settings(site=site, index=real_index, journal=tmp_path / "journal.sqlite"))
    app.test_client_class = Client
    client = app.test_client()
    body = client.post("/api/ask", json={"question": "should I use Ingress for UDP?"}).get_json()
    assert body["citations"][0]["url"] == "/ingress/#ingress-udp"
    assert client.get("/ingress/").status_code == 200
    assert client.get("/readyz").get_json()["status"] == "ready"
    journal = Journal(tmp_path / "journal.sqlite", 90)
    assert journal.feedback(body["id"], helpful=True), "the question is in the journal"
    journal.close()


def test_an_index_of_another_site_is_not_served(site: Path, real_index: Path, tmp_path: Path) -> None:
    other = shutil.copytree(site, tmp_path / "site")
    (other / "ports" / "index.html").unlink()
    with pytest.raises(IndexProblem) as refused:
        create_answerer(read_settings(site=other, index=real_index))
    assert refused.value.code == "index-stale"


def test_an_index_is_served_without_its_site(real_index: Path, tmp_path: Path) -> None:
    answerer = create_answerer(read_settings(site=tmp_path / "nowhere", index=real_index))
    assert answerer.ask("should I use Ingress for UDP?").citations


def test_an_index_of_another_model_is_not_served(site: Path, real_index: Path) -> None:
    with pytest.raises(IndexProblem) as refused:
        create_answerer(read_settings(site=site, index=real_index, model="/models/other"))
    assert refused.value.code == "index-model"


def test_thresholds_from_the_settings_win_over_the_learned_ones(index: Index) -> None:
    tuned = json.loads(TUNING.read_text(encoding="utf-8"))["with_questions"]["doubt"]
    plain = answerer_of(index, read_settings())
    assert (plain.doubt.answer_at, plain.doubt.unsure_at) == (tuned["answer_at"], tuned["unsure_at"])
    strict = answerer_of(index, read_settings(answer_at=0.99, unsure_at=0.0))
    assert (strict.doubt.answer_at, strict.doubt.unsure_at) == (0.99, 0.0)


def test_a_site_without_questions_gets_the_weights_for_such_sites(index: Index) -> None:
    encoder = WordEncoder()
    bare = [Section(section.url, section.path, section.blocks) for section in index.sections]
    without = answerer_of(build(bare, {}, encoder, encoder.encode, {}), read_settings())
    assert without.retriever.weights[PARTS.index("question_vector")] == 0.0
    assert without.ask("metallb announce arp bgp").citations[0].url == "/metallb/#metallb-announce"
    assert isinstance(without, Answerer)


@pytest.mark.parametrize("name", ["with_questions", "without_questions"])
def test_the_learned_numbers_fit_the_code(name: str, real_index: Path) -> None:
    tuned = json.loads(TUNING.read_text(encoding="utf-8"))[name]
    assert set(tuned["fusion"]) <= set(PARTS)
    assert all(weight >= 0 for weight in tuned["fusion"].values())
    doubt = tuned["doubt"]
    assert set(doubt["weights"]) <= set(doubt["center"])
    assert set(doubt["weights"]) <= set(doubt["scale"])
    assert all(scale > 0 for scale in doubt["scale"].values())
    assert 0 <= doubt["unsure_at"] <= doubt["answer_at"] <= 1
    answerer = answerer_of(load(real_index), read_settings())
    assert set(doubt["weights"]) <= set(answerer.find("ingress udp").signals)

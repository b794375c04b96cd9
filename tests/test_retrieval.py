"""Question → ranked sections: the right one first, each hit with the parts of its score."""

from dataclasses import replace

import numpy as np
import pytest

from bot.adapter import adapt, identity
from bot.answer import Answerer
from bot.index import Index, _near
from bot.retrieval import NEAREST, PARTS, Retriever, asked_without, has_questions, leave_one_out
from tests.conftest import WEIGHTS, WordEncoder


@pytest.fixture(scope="module")
def retriever(index: Index) -> Retriever:
    return Retriever(index, WEIGHTS)


EVERY = dict.fromkeys(PARTS, 1.0)


def first(retriever: Retriever, question: str, page: str = "") -> str:
    return retriever.search(retriever.query(question, page), 1)[0].section.url


@pytest.mark.parametrize(
    ("question", "url"),
    [
        ("should I use Ingress for UDP?", "/ingress/#ingress-udp"),
        ("external-ip pending", "/loadbalancer/#lb-pending"),
        ("my voice server loses datagrams behind an ingress controller", "/ingress/#ingress-udp"),
        ("sticky sessions", "/sessions/#affinity"),
        ("is a gateway more expensive than an ingress?", "/gateway/#gateway-cost"),
        ("GRPCRoute", "/gateway/#gateway-grpc"),
        ("how often must I grease a widget", "/sphinx/widgets.html#greasing"),
        ("cut the tape of a gadget box", "/docusaurus/gadgets/#unboxing"),
    ],
)
def test_the_right_section_comes_first(retriever: Retriever, question: str, url: str) -> None:
    assert first(retriever, question) == url


def test_what_is_left_to_others_is_found_apart(retriever: Retriever) -> None:
    query = retriever.query("persistent volume claim")
    assert [hit.section.url for hit in retriever.search(query, 3, outside=True)] == ["/outside/#outside-storage"]
    assert not any(hit.section.outside for hit in retriever.search(query, len(retriever.index.sections)))


def test_every_section_is_found_by_each_of_its_own_questions(retriever: Retriever) -> None:
    for section in retriever.index.sections:
        for question in () if section.outside else section.questions:
            assert first(retriever, question) == section.url


def test_a_typing_error_finds_the_same_section(retriever: Retriever) -> None:
    assert retriever.query("ingres udp").text == "ingress udp"
    assert first(retriever, "ingres udp") == "/ingress/#ingress-udp"


def test_hits_come_best_first_and_as_many_as_asked(retriever: Retriever) -> None:
    hits = retriever.search(retriever.query("udp"), 4)
    assert len(hits) == 4
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len({hit.section.url for hit in hits}) == 4


def test_a_score_is_the_weighted_sum_of_its_parts(retriever: Retriever) -> None:
    for hit in retriever.search(retriever.query("ingress udp", "/ingress/"), 5):
        assert set(hit.parts) == set(PARTS)
        assert all(0.0 <= value <= 1.0 + 1e-5 for value in hit.parts.values())
        assert hit.score == pytest.approx(sum(WEIGHTS.get(part, 0.0) * value for part, value in hit.parts.items()), abs=1e-5)


def test_the_page_that_the_reader_is_on_decides_between_near_equals(retriever: Retriever) -> None:
    for page, url in (("/ingress/", "/ingress/#ingress-udp"), ("/loadbalancer/", "/loadbalancer/#lb-udp")):
        assert first(retriever, "udp service", page) == url
    assert first(retriever, "external-ip pending", "/ingress/") == "/loadbalancer/#lb-pending"


def test_a_question_in_another_language_finds_the_same_section(retriever: Retriever) -> None:
    assert first(retriever, "Wie kann ich UDP mit dem Ingress freigeben?") == "/ingress/#ingress-udp"


def test_a_question_is_encoded_once(index: Index) -> None:
    encoder = WordEncoder()
    rambling = "We moved in spring. The coffee machine is fine. Where do sticky session affinity settings go? Please help."
    Retriever(replace(index, encoder=encoder), WEIGHTS).query(rambling)
    assert encoder.encoded == [rambling]


def test_questions_are_compared_by_their_adapted_vectors_and_texts_by_those_of_the_encoder(index: Index) -> None:
    start, end = index.spans["question"]
    dimension = index.vectors.shape[1]
    stretching = replace(identity(dimension), straight=np.diag(np.linspace(1.0, 2.0, dimension)).astype(np.float32))
    adapted = replace(index, adapter=stretching, near_questions=_near(adapt(index.vectors[start:end], stretching)))
    plain, moved = (Retriever(each, EVERY).query("ingress udp").parts for each in (index, adapted))
    changed = {part for number, part in enumerate(PARTS) if not np.allclose(plain[:, number], moved[:, number], atol=1e-4)}
    assert changed == {"question_vector", "question_vectors"}


def test_mean_of_nearest_averages_the_best_questions_of_each_section(index: Index) -> None:
    retriever = Retriever(index, EVERY)
    query = retriever.query("ingress udp")
    cosines = retriever.index.vectors @ query.vector
    found = query.parts[:, PARTS.index("question_vectors")]
    start, end = retriever.index.spans["question"]
    for number in range(len(retriever.index.sections)):
        own = sorted(cosines[start:end][retriever.index.owner[start:end] == number], reverse=True)[:NEAREST]
        assert found[number] == pytest.approx(np.mean(own) if own else 0.0, abs=1e-3)


def test_leaving_a_question_out_takes_away_what_it_gave(retriever: Retriever) -> None:
    entry = retriever.index.texts.index("session affinity sticky")
    number = int(retriever.index.owner[entry])
    query = retriever.query(retriever.index.texts[entry])
    whole, without = query.parts[number], asked_without(retriever, entry).parts[number]
    assert whole[PARTS.index("question_vector")] == pytest.approx(1.0, abs=1e-3)
    assert without[PARTS.index("question_vector")] < 0.9
    assert without[PARTS.index("words")] < whole[PARTS.index("words")]
    assert leave_one_out(retriever, [entry]) == [1], "its other question and its text still find it"


def test_weights_of_parts_that_are_not_given_count_nothing(index: Index) -> None:
    alone = Retriever(index, {"words": 1.0})
    query, whole = (retriever.query("metallb announce arp") for retriever in (alone, Retriever(index, EVERY)))
    hits = alone.search(query, 1)
    assert hits[0].section.url == "/metallb/#metallb-announce"
    assert hits[0].score == pytest.approx(hits[0].parts["words"])
    words = PARTS.index("words")
    np.testing.assert_array_equal(query.parts[:, words], whole.parts[:, words])
    assert not np.delete(query.parts, words, axis=1).any(), "nor are they measured"
    assert np.delete(whole.parts, words, axis=1).any()


@pytest.mark.parametrize("question", ["🚢", "?", "a", "привет мир", "word " * 200, "日本語でお願いします", "x" * 1000])
def test_any_text_gets_hits_with_finite_scores(retriever: Retriever, question: str) -> None:
    hits = retriever.search(retriever.query(question), 3)
    assert len(hits) == 3
    assert all(np.isfinite(hit.score) for hit in hits)


def test_the_small_site_has_questions(index: Index, answerer: Answerer) -> None:
    assert has_questions(index)
    assert answerer.retriever.index is index

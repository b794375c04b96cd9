"""Text → terms: identifiers, abbreviations, stems, typing errors; everything learned from the site's own words."""

import pytest

from bot.words import Vocabulary

TEXT = (
    "A LoadBalancer Service has externalTrafficPolicy. Ingress controllers route ingress traffic to the ingress backend. "
    "Annotations, annotations and more annotations. The LoadBalancer and its load balancer. kube-proxy in ipvs mode, MetalLB. "
)
VOCABULARY = Vocabulary.learn([TEXT * 3], {"NLB": "Network Load Balancer"})


def test_an_identifier_gives_itself_and_its_words() -> None:
    assert VOCABULARY.terms("externalTrafficPolicy") == ["externaltrafficpolici", "extern", "traffic", "polici"]


@pytest.mark.parametrize("written", ["LoadBalancer", "loadbalancer", "LOADBALANCER"])
def test_an_identifier_is_known_in_any_case(written: str) -> None:
    assert {"load", "balanc"} <= set(VOCABULARY.terms(written))


def test_words_are_stemmed_so_that_their_forms_meet() -> None:
    assert VOCABULARY.terms("routes") == VOCABULARY.terms("routing") == VOCABULARY.terms("routed")


def test_an_abbreviation_also_gives_its_long_form() -> None:
    assert VOCABULARY.terms("nlb") == ["nlb", "network", "load", "balanc"]


def test_words_without_topic_are_dropped_but_negations_stay() -> None:
    assert VOCABULARY.terms("can you please help me with the") == []
    assert VOCABULARY.terms("why does it not work without") == VOCABULARY.terms("not work without")
    assert "not" in VOCABULARY.terms("not")


def test_compound_tokens_give_whole_and_parts() -> None:
    assert VOCABULARY.terms("kube-proxy") == ["kube-proxi", "kube", "proxi"]
    assert set(VOCABULARY.terms("503")) == {"503"}


@pytest.mark.parametrize("text", ["", "   ", "?!…", "🚢", "\n\t"])
def test_text_without_words_gives_no_terms(text: str) -> None:
    assert VOCABULARY.terms(text) == []


@pytest.mark.parametrize(
    ("typed", "meant"), [("ingres", "ingress"), ("ingerss", "ingress"), ("anotations", "annotations"), ("Igress", "ingress")]
)
def test_a_typing_error_is_mended_to_the_site_s_word(typed: str, meant: str) -> None:
    assert VOCABULARY.mend(f"my {typed} is broken") == f"my {meant} is broken"


@pytest.mark.parametrize(
    "word", ["nlb", "loadbalancer", "ingress", "pods", "egress", "routes", "metallb", "example.com/ingres", "ingres-nginx"]
)
def test_known_short_and_composed_words_are_left_alone(word: str) -> None:
    assert VOCABULARY.mend(word) == word


def test_a_rare_word_is_no_target_for_mending() -> None:
    assert Vocabulary.learn(["ingress once"], {}).mend("ingres") == "ingres"


def test_mending_keeps_everything_between_the_words() -> None:
    text = "  ingress?\n\n(`ingress`) – 10.0.0.0/8, ünïcode 🚢  "
    assert VOCABULARY.mend(text) == text

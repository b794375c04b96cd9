"""Question → answer: verdicts, refusals, follow-ups, quotes; and never a word that the handbook does not say."""

import re
from dataclasses import replace

import pytest

from bot.answer import MAX_HISTORY, MAX_QUESTION, PROSE_WORDS, QUOTE_CHARACTERS, SECOND_WITHIN, Answerer, Doubt, checked
from bot.errors import QuestionRefused
from bot.retrieval import Retriever
from bot.sections import squeeze

ASKED = [
    "should I use Ingress for UDP?",
    "external-ip pending",
    "How do I expose a UDP port with a load balancer? show me yaml",
    "idle timeout annotation",
    "gateway grpc",
    "is a gateway more expensive?",
    "sticky session affinity",
    "metallb arp bgp",
]


@pytest.mark.parametrize(
    ("question", "verdict", "url"),
    [
        ("should I use Ingress for UDP?", "no", "/ingress/#ingress-udp"),
        ("can Ingress terminate TLS certificates?", "yes", "/ingress/#ingress-tls"),
        ("is a gateway more expensive?", "depends", "/gateway/#gateway-cost"),
        ("external-ip pending", None, "/loadbalancer/#lb-pending"),
    ],
)
def test_a_question_gets_its_verdict_from_the_section_that_answers(
    answerer: Answerer, question: str, verdict: str | None, url: str
) -> None:
    answer = answerer.ask(question)
    assert (answer.status, answer.verdict, answer.citations[0].url) == ("answered", verdict, url)


@pytest.mark.parametrize(("question", "status"), [("Metallb, ARP, BGP?", "answered"), ("metallb arp", "declined")])
def test_a_question_that_stands_beside_the_section_is_never_doubted(answerer: Answerer, question: str, status: str) -> None:
    listed = answerer.retriever.search(answerer.retriever.query(question), 1)[0].section
    sure = replace(answerer.doubt, bias=-1000.0, knots=((0.0, 0.0), (1.0, 0.97)))
    asked = replace(listed, questions=(*listed.questions, "metallb arp bgp"))
    index = answerer.retriever.index
    sections = [asked if section.url == listed.url else section for section in index.sections]
    doubtful = Answerer(Retriever(replace(index, sections=sections), answerer.retriever.named_weights), sure)
    assert doubtful.ask(question).status == status


@pytest.mark.parametrize(
    ("question", "verdict"),
    [
        ("is it impossible to carry UDP through an Ingress?", "yes"),
        ("ingress can't carry udp, right?", "yes"),
        ("ingress can’t carry udp, right?", "yes"),
        ("is it true that an Ingress cannot carry UDP?", "yes"),
        ("is it true that an Ingress can carry UDP?", "no"),
        ("is it impossible that Ingress can terminate TLS certificates?", "no"),
    ],
)
def test_a_reversed_question_turns_the_verdict_around(answerer: Answerer, question: str, verdict: str) -> None:
    answer = answerer.ask(question)
    assert answer.verdict == verdict
    assert f"**{verdict.capitalize()}.** An" in answer.answer


def test_a_question_how_gets_no_yes_but_a_no(answerer: Answerer) -> None:
    how = answerer.ask("how can Ingress terminate TLS certificates?")
    assert how.verdict is None
    assert how.answer.startswith("An Ingress ends TLS")
    wrong = answerer.ask("how do I use Ingress for UDP?")
    assert wrong.verdict == "no"
    assert wrong.answer.startswith("**No.**")


@pytest.mark.parametrize("question", ["how do I cook borscht", "who won the world cup", "🚢🚢", "привет мир", "asdf qwer zxcv"])
def test_what_the_handbook_does_not_know_is_declined(answerer: Answerer, question: str) -> None:
    answer = answerer.ask(question)
    assert (answer.status, answer.verdict) == ("declined", None)
    assert answer.confidence < answerer.doubt.unsure_at
    assert answer.answer == "This handbook does not answer that. The nearest sections are listed below."
    assert answer.citations, "the nearest sections"


def test_what_is_left_to_others_is_declined_in_the_words_of_that_page(answerer: Answerer) -> None:
    answer = answerer.ask("persistent volume claim storage class")
    assert answer.status == "declined"
    assert answer.answer.startswith("Storage is outside this handbook")
    assert all(citation.url != "/outside/#outside-storage" for citation in answer.citations)


def test_between_the_thresholds_the_answer_says_that_it_is_not_sure(answerer: Answerer) -> None:
    asked = "should I use an Ingress for UDP traffic?"
    unsure = Answerer(answerer.retriever, Doubt({}, {}, {}, 0.0, answer_at=0.9, unsure_at=0.1)).ask(asked)
    assert (unsure.status, unsure.confidence) == ("unsure", 0.5)
    assert unsure.answer.startswith("I am not sure that this is what you ask. The closest section is “Can an Ingress carry UDP?”:\n\n")


def test_confidence_is_the_logistic_of_the_weighted_signals() -> None:
    doubt = Doubt({"score": 2.0}, {"score": 0.5}, {"score": 0.25}, 1.0, 0.6, 0.3)
    assert doubt.confidence({"score": 0.5}) == pytest.approx(1 / (1 + 2.718281828**-1.0))
    assert doubt.confidence({"score": 0.75}) > doubt.confidence({"score": 0.5}) > doubt.confidence({"score": 0.0})
    assert [doubt.status(value) for value in (0.6, 0.59, 0.3, 0.29)] == ["answered", "unsure", "unsure", "declined"]
    assert doubt.confidence({"score": 1e9}) == pytest.approx(1.0)


def test_a_follow_up_is_read_with_the_question_before_it(answerer: Answerer) -> None:
    alone = answerer.ask("and for TLS?")
    after = answerer.ask("and with TLS certificates?", ["should I use Ingress for UDP?", "can Ingress terminate TLS?"])
    assert after.citations[0].url == "/ingress/#ingress-tls"
    assert after.question == "and with TLS certificates?"
    assert alone.confidence < after.confidence


def test_a_question_that_stands_on_its_own_changes_the_subject(answerer: Answerer) -> None:
    assert answerer.ask("session affinity sticky", ["ingress udp"]).citations[0].url == "/sessions/#affinity"


@pytest.mark.parametrize("question", ["and how?", "und wie?", "why?"])
def test_a_follow_up_of_a_follow_up_keeps_the_subject(answerer: Answerer, question: str) -> None:
    assert answerer.ask(question, ["session affinity sticky", "can Ingress terminate TLS certificates?", "and why?"]).citations[0].url == (
        "/ingress/#ingress-tls"
    )


def test_a_question_that_could_stand_alone_stays_with_the_subject(answerer: Answerer) -> None:
    assert answerer.ask("udp").citations[0].url == "/ingress/#ingress-udp"
    assert answerer.ask("udp", ["load balancer udp port example"]).citations[0].url == "/loadbalancer/#lb-udp"


@pytest.mark.parametrize("question", ["and is my persistent volume claim full?", "and what does it say about zebras and ships?"])
def test_a_follow_up_that_leaves_the_subject_is_declined(answerer: Answerer, question: str) -> None:
    assert answerer.ask("and what about it?", ["can Ingress terminate TLS certificates?"]).status == "answered"
    assert answerer.ask(question, ["can Ingress terminate TLS certificates?"]).status == "declined"


def test_a_follow_up_has_its_own_verdict(answerer: Answerer) -> None:
    answer = answerer.ask("and can it end TLS?", ["why can Ingress not carry UDP?"])
    assert (answer.citations[0].url, answer.verdict) == ("/ingress/#ingress-tls", "yes")
    assert answerer.ask("and how with TLS?", ["can an Ingress end TLS?"]).verdict is None


def test_only_the_latest_questions_of_a_long_history_count(answerer: Answerer) -> None:
    history = ["\x00"] * 3 + ["ingress tls"] * MAX_HISTORY
    assert answerer.ask("and with https?", history).citations[0].url == "/ingress/#ingress-tls"
    with pytest.raises(QuestionRefused):
        answerer.ask("and with https?", ["ingress tls", "\x00"])


def test_two_questions_in_one_message_both_get_an_answer(answerer: Answerer) -> None:
    answer = answerer.ask("should I use Ingress for UDP? does a GRPCRoute exist in the gateway api?")
    cited = {citation.url for citation in answer.citations[:2]}
    assert cited == {"/ingress/#ingress-udp", "/gateway/#gateway-grpc"}
    assert "carries only HTTP" in answer.answer
    assert "A `GRPCRoute` matches" in answer.answer


def test_a_section_as_good_as_equal_follows_under_its_heading(answerer: Answerer) -> None:
    answer = answerer.ask("ingress udp tls")
    first, second = answer.citations[:2]
    assert second.score >= first.score * (1 - SECOND_WITHIN) - 0.001
    assert f"\n\n**See also: [{second.title.split(' › ')[-1]}]({second.url})**\n\n" in answer.answer
    assert "No.**" not in answer.answer.split("See also:")[1], "its no belongs to its heading"
    alone = answerer.ask("external-ip pending")
    assert alone.citations[1].score < alone.citations[0].score * (1 - SECOND_WITHIN)
    assert not re.search(r"^\*\*[^*]+\*\*$", alone.answer, re.M)


@pytest.mark.parametrize("question", ASKED)
def test_quotes_stand_verbatim_on_the_page(answerer: Answerer, question: str) -> None:
    texts = {section.url: squeeze(section.text) for section in answerer.retriever.index.sections}
    for citation in answerer.ask(question).citations:
        assert citation.quote
        assert citation.quote in texts[citation.url]
        assert len(citation.quote) <= QUOTE_CHARACTERS or " ".join(citation.quote.split()).count(". ") == 0
        assert 0.0 <= citation.score <= 1.0


@pytest.mark.parametrize("question", ASKED)
def test_an_answer_is_made_of_whole_blocks_in_the_order_of_the_page(answerer: Answerer, question: str) -> None:
    answer = answerer.ask(question)
    section = next(section for section in answerer.retriever.index.sections if section.url == answer.citations[0].url)
    rest = re.sub(r"^\*\*(Yes|No|It depends)\.\*\* ", "", answer.answer)
    shown = [block for block in section.blocks if re.sub(r"^\*\*(Yes|No|It depends)\.\*\* ", "", block.markdown) in rest]
    assert shown[0] is section.blocks[0], "the first paragraph is always there"
    for block in shown:
        rest = rest.replace(re.sub(r"^\*\*(Yes|No|It depends)\.\*\* ", "", block.markdown), "", 1)
    assert re.sub(r"[\s-]", "", rest) == "", "nothing else is said"
    places = [answer.answer.index(re.sub(r"^\*\*(Yes|No|It depends)\.\*\* ", "", block.markdown)) for block in shown]
    assert places == sorted(places)


def test_a_list_comes_with_the_line_that_introduces_it(answerer: Answerer) -> None:
    answer = answerer.ask("idle timeout annotation for websocket client: seconds or never?")
    assert "The annotation takes one of:\n\n- a number of seconds\n- the word `never`, for websocket clients" in answer.answer


def test_code_is_shown_with_its_introduction_when_it_is_asked_for(answerer: Answerer) -> None:
    shown = answerer.ask("load balancer udp port example yaml").answer
    assert "This Service does it:\n\n```yaml\napiVersion: v1" in shown
    assert "kubectl apply" not in shown
    assert "```" not in answerer.ask("same pod for a client").answer


def test_code_that_is_too_long_is_left_to_the_page(answerer: Answerer) -> None:
    answer = answerer.ask("very lengthy manifest example")
    assert answer.citations[0].url == "/loadbalancer/#lb-long"
    assert "```" not in answer.answer


@pytest.mark.parametrize("question", ASKED)
def test_an_answer_stays_short(answerer: Answerer, question: str) -> None:
    assert len(re.sub(r"```.*?```", "", answerer.ask(question).answer, flags=re.S).split()) <= PROSE_WORDS + 20


@pytest.mark.parametrize("question", ASKED)
def test_suggestions_are_other_headings_of_the_handbook(answerer: Answerer, question: str) -> None:
    answer = answerer.ask(question)
    headings = {section.heading for section in answerer.retriever.index.sections if not section.outside}
    assert set(answer.suggestions) <= headings
    shown = {answer.citations[0].title.split(" › ")[-1], *re.findall(r"^\*\*(?:See also: )?\[(.+)\]\(.*\)\*\*$", answer.answer, re.M)}
    assert not shown & set(answer.suggestions)


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ("", "empty-question"),
        (" \n\t ", "empty-question"),
        ("x" * (MAX_QUESTION + 1), "question-too-long"),
        ("ingress\x00udp", "control-characters"),
        ("ingress\x1b[31mudp", "control-characters"),
        ("ingress \ud800 udp", "control-characters"),
        ("\x7f", "control-characters"),
    ],
)
def test_what_is_no_question_is_refused_with_its_reason(answerer: Answerer, question: str, code: str) -> None:
    with pytest.raises(QuestionRefused) as refused:
        answerer.ask(question)
    assert refused.value.code == code
    assert len(str(refused.value)) > 20


def test_a_question_of_the_greatest_length_is_answered(answerer: Answerer) -> None:
    assert answerer.ask(("ingress udp " * 100)[:MAX_QUESTION].strip()).citations


def test_a_question_is_composed_and_stripped() -> None:
    assert checked("  cafe\u0301?\r\n") == "café?"
    assert checked("line\n\tline") == "line\n\tline"


def test_the_same_question_gets_the_same_answer_under_its_own_id(answerer: Answerer) -> None:
    one, other = answerer.ask("ingress udp"), answerer.ask("ingress udp")
    assert one.id != other.id
    assert (one.answer, one.confidence, one.citations) == (other.answer, other.confidence, other.citations)


def test_markup_in_a_question_changes_nothing_in_the_answer(answerer: Answerer) -> None:
    answer = answerer.ask("<script>alert(1)</script> **ingress udp** [x](javascript:alert(1))")
    assert "script" not in answer.answer


def test_nearest_gives_sections_with_the_parts_of_their_scores(answerer: Answerer) -> None:
    found = answerer.nearest("ingress udp", 3)
    assert found[0][0].url == "/ingress/#ingress-udp"
    assert all(parts["words"] >= 0 for _, parts in found)
    assert len(found) == 3

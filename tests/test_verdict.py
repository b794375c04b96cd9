"""Yes, no, depends or nothing: what a section says of a question."""

import pytest

from bot.sections import Block, Section
from bot.verdict import STORY, asks, denies, told, verdict


def section(lead: str, heading: str = "Can an Ingress carry UDP?") -> Section:
    return Section("/a/#b", ("A", heading), (Block("paragraph", lead.replace("*", ""), lead),))


NO = section("**No.** An Ingress carries only HTTP.")
YES = section("**Yes.** An Ingress ends TLS.", "Can an Ingress end TLS?")
DEPENDS = section("**It depends.** On the cloud.", "Does a load balancer cost money?")
HOW = section("Set the field `spec.tls`.", "How do I enable HTTPS?")
NEED = section("**No.** An address will do.", "Do I need a domain?")


@pytest.mark.parametrize(
    ("question", "of", "sign"),
    [
        ("can Ingress carry UDP?", NO, "no"),
        ("ingress udp", NO, "no"),
        ("the Ingress carries UDP as well?", NO, "no"),
        ("ingress can't carry udp, right?", NO, "yes"),
        ("is it impossible to end TLS there?", YES, "no"),
        ("does each one cost money?", DEPENDS, "depends"),
        ("how do I send UDP through an Ingress?", NO, "no"),
        ("how do I end TLS?", YES, None),
        ("how much does it cost?", DEPENDS, None),
        ("is he right that an Ingress can never end TLS?", YES, "no"),
        ("can I reach the shop by its address, without a domain?", NEED, "yes"),
        ("can I use my own domain?", NEED, None),
        ("must I buy a domain?", NEED, "no"),
        ("does the Ingress have to end TLS?", YES, None),
        ("can I have HTTPS on my shop?", HOW, None),
        ("our team wrote a shop in Go", NO, None),
    ],
)
def test_a_question_gets_the_sign_that_suits_it(question: str, of: Section, sign: str | None) -> None:
    assert verdict(question, of) == sign


def test_a_long_story_does_not_get_the_sign_of_the_section() -> None:
    story = "we run a shop and " * STORY + "can Ingress carry UDP?"
    assert verdict(story, NO) is None
    assert verdict(story, DEPENDS) is None


@pytest.mark.parametrize(
    "question", ["is UDP possible?", "wonder if that works", "so it opens the port?", "it'd be nice to have", "udp ingress"]
)
def test_what_can_be_answered_by_yes_or_no(question: str) -> None:
    assert asks(question)


def test_a_plain_statement_asks_nothing() -> None:
    assert not asks("the packets of our game server arrive at the node and are dropped there")


def test_assent_to_a_denial_is_told_from_a_question() -> None:
    assert denies("is it true that an Ingress cannot carry UDP?")
    assert not denies("why can't an Ingress carry UDP?")


def test_the_lead_is_told_with_the_word_that_suits() -> None:
    assert told("**No.** an Ingress does not.", "yes") == "**Yes.** An Ingress does not."
    assert told("**It depends.** On the cloud.", None) == "On the cloud."
    assert told("Set the field.", "yes") == "**Yes.** Set the field."
    assert told("Set the field.", None) == "Set the field."

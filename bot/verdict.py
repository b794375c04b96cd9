"""Question + the section that answers it → "yes", "no", "depends", or None where none fits.

A section that settles a yes/no matter says so in bold at its start. Knows no retrieval and no medium.
"""

import re

from bot.sections import Section

LEAD = re.compile(r"^\*\*(Yes|No|It depends)[.,:]?\*\*[.,:]?\s*")
NAMES = {"Yes": "yes", "No": "no", "It depends": "depends"}
WORDS = {"yes": "Yes", "no": "No", "depends": "It depends"}
OPPOSITE = {"yes": "no", "no": "yes", "depends": "depends"}
KEYWORDS = 5  # words: a question no longer than this is a search, and a verdict helps it
STORY = 30  # words: in a longer one the yes or no of the section seldom belongs to what is asked

GREETING = r"(?:(?:so|and|but|or|ok|okay|hi|hello|hey|then|please|also|well|now)\W+)*"
OPEN = re.compile(rf"^\W*{GREETING}(?:how|what|why|where|which|who|when)\b", re.I)
POLAR = re.compile(
    rf"(?:^|[.!?,;:\n]\s*){GREETING}"
    r"(?:is|are|am|was|can|could|do|does|did|should|will|would|must|has|have|may|isn't|aren't|can't|don't|doesn't|shouldn't)\s+"
    r"(?:i|it|its|there|this|that|these|we|you|one|they|an?|the|my|your|any|[a-z][\w-]*)\b"
    r"|\b(?:right|correct|true|agreed|ok|or not|or no|or wrong|possible|doable|still so)\s*\?"
    r"|\b(?:is|does|do|are|can|wo|ca)n't (?:it|they|that|i|you|we)\s*\?"
    r"|\b(?:true that|anyone know if|wonder(?:ing)? if|not sure if|whether|any plans|i guess|i suppose|i assume)\b",
    re.I,
)
# A statement with a question mark: "the host field makes the DNS record?"
DOUBTED = re.compile(rf"(?:^|[.!?\n]\s*){GREETING}(?!(?:how|what|why|where|which|who|when)\b)[^.!?\n]+\?", re.I)
# Asks whether something can be done.
POSSIBLE = re.compile(
    r"\b(?:can|could)\s+(?:i|we|you|one|it|this|the|an?|[a-z][\w-]*)\b|\bpos+ible\b|\b(?:any|a) way to\b|\bis there (?:an?|any)\b"
    r"|\bable to\b|\bsupport(?:s|ed)?\b|\bdoes\b.*\bwork\b",
    re.I,
)
WISH = re.compile(
    r"\b(?:would (?:be (?:nice|great|good|helpful|useful|cool|handy|a relief)|love|help)|should (?:allow|support|be able|be possible|have)|"
    r"feature request|wish|nice to have|it'd (?:be|help)|please (?:add|support)|plans to|plan is|idea is|trying to|could(?:n't)? really|"
    r"really could|(?:want|need|like) to|i'd like|we'd like|i (?:think i )?will just)\b",
    re.I,
)
# Asks whether something has to be; a section that asks whether it can be has another yes.
NEEDS = re.compile(r"\b(?:needs?|needed|have to|has to|must|required?|requires?|necessary|mandatory|means?)\b", re.I)
WITHOUT = re.compile(r"\b(?:without|no need)\b", re.I)  # "can I … without X?" is answered yes where "do I need X?" is answered no
# Asks for assent to a denial: "X cannot, right?" is answered yes where "can X?" is answered no.
DENIAL = re.compile(
    r"\b(?:(?:is|are) (?:it|that|this|he|she|they) (?:true|right|correct)|am i (?:right|correct)|do i understand)\b.*"
    r"\b(?:not|cannot|can't|doesn't|don't|isn't|never|impossible)\b"
    r"|\bis it (?:impossible|not possible)\b"
    r"|(?:^|[.!?]\s*)(?:[^\s.,!?]+\s+){1,5}(?:cannot|can't|doesn't|don't|isn't|won't)\b[^.?!,]*,\s*(?:right|correct)\s*\?",
    re.I,
)


def verdict(question: str, section: Section) -> str | None:
    """Return the verdict of `section` on `question`.

    Only what can be answered by yes or no gets one; but a question how gets the section's no: it rests on something that does not hold.
    """
    question = "\n".join(" ".join(line.split()) for line in question.splitlines() if line.strip())  # the patterns stay fast
    if OPEN.match(question):
        return "no" if _stated(section, question) == "no" else None
    return _stated(section, question) if asks(question) else None


def asks(question: str) -> bool:
    """Whether `question` can be answered by yes or no: a polar question, a doubted statement, a wish, a few keywords."""
    return len(question.split()) <= KEYWORDS or any(form.search(question) for form in (POLAR, DOUBTED, POSSIBLE, WISH))


def _stated(section: Section, question: str) -> str | None:
    """Return the verdict at the start of the section, turned around for a question that denies, or that can do without what it needs.

    A section that only shows how something is done says nothing: of the signs that were read into such ones half were wrong.
    """
    found = LEAD.match(section.blocks[0].markdown) if len(question.split()) <= STORY else None
    sign = NAMES[found.group(1)] if found else None
    if sign and NEEDS.search(section.heading) and POSSIBLE.search(question) and not NEEDS.search(question):
        return OPPOSITE[sign] if WITHOUT.search(question) else None
    if sign and NEEDS.search(question) and POSSIBLE.search(section.heading) and not NEEDS.search(section.heading):
        return None
    return OPPOSITE[sign] if sign and denies(question) else sign


def denies(question: str) -> bool:
    """Whether `question` asks for assent to a denial."""
    return bool(DENIAL.search(question))


def told(lead: str, sign: str | None) -> str:
    """Return the first paragraph with the verdict word that suits the question, or without one."""
    bare = LEAD.sub("", lead)
    if bare is not lead:
        bare = bare[:1].upper() + bare[1:]
    return f"**{WORDS[sign]}.** {bare}" if sign else bare

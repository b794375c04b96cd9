"""Question + the section that answers it → "yes", "no", "depends", or None where none fits.

A section that settles a yes/no matter says so in bold at its start. Knows no retrieval and no medium.
"""

import re

from bot.index import sentences
from bot.sections import Section

LEAD = re.compile(r"^\*\*(Yes|No|It depends)[.,:]?\*\*[.,:]?\s*")
NAMES = {"Yes": "yes", "No": "no", "It depends": "depends"}
WORDS = {"yes": "Yes", "no": "No", "depends": "It depends"}
OPPOSITE = {"yes": "no", "no": "yes", "depends": "depends"}
KEYWORDS = 5  # words: a question no longer than this is a search, and a verdict helps it
STORY = 40  # words: in a longer one the yes or no of the section seldom belongs to what is asked

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
# Asks whether something has to be, or is all there is: a section that shows how does not say yes to that.
NECESSITY = re.compile(
    r"\b(?:must|have to|has to|do (?:i|we|you) need|required?|necessary|only|enough|always|still|every|without|never|avoid|guess)\b", re.I
)
# Asks whether something has to be; a section that asks whether it can be has another yes.
NEEDS = re.compile(r"\b(?:needs?|needed|have to|has to|must|required?|requires?|necessary|mandatory|means?)\b", re.I)
WITHOUT = re.compile(r"\b(?:without|no need)\b", re.I)  # "can I … without X?" is answered yes where "do I need X?" is answered no
# What a question whether something can be done names: an abbreviation, or the one that is to do it.
ABBREVIATION = re.compile(r"\b[A-Z]{2,}(?=s?\b)")
ACTOR = re.compile(
    r"\b(?:can|could|do|does|is|are)\s+(?:an?\s+|the\s+|my\s+|our\s+)?"
    r"(?!(?:i|it|its|we|you|one|they|there|this|that|these|those|any\w*|some\w*|every\w*|people)\b)([a-z][\w-]+?)(?=(?:e?s)?\b)",
    re.I,
)
# Tells of something that goes wrong: to that, "yes" is no answer.
PROBLEM = re.compile(
    r"\b(?:errors?|fail\w*|[45]\d\d|don't see|doesn't|does not|didn't|not work\w*|refused|timed? ?out|stuck|pending|wrong|broken|crash\w*|"
    r"loops?|help me)\b",
    re.I,
)
DENIES = re.compile(r"\b(?:no|not|cannot|can't|never|nothing)\b", re.I)
SYMPTOM = re.compile(r"^(?:Why|What happened)\b|\b(?:error|fails?|failing|stuck|refused|wrong|lost|missing|stays?|still|not)\b", re.I)
# Asks for assent to a denial: "X cannot, right?" is answered yes where "can X?" is answered no.
DENIAL = re.compile(
    r"\b(?:is it (?:true|right|correct)|am i (?:right|correct)|do i understand)\b.*"
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
    return (_stated(section, question) or _possible(section, question)) if asks(question) else None


def asks(question: str) -> bool:
    """Whether `question` can be answered by yes or no: a polar question, a doubted statement, a wish, a few keywords."""
    return len(question.split()) <= KEYWORDS or any(form.search(question) for form in (POLAR, DOUBTED, POSSIBLE, WISH))


def _stated(section: Section, question: str) -> str | None:
    """Return the verdict at the start of the section, turned around for a question that denies."""
    found = LEAD.match(section.blocks[0].markdown) if len(question.split()) <= STORY else None
    sign = NAMES[found.group(1)] if found else None
    if sign and NEEDS.search(section.heading) and POSSIBLE.search(question) and not NEEDS.search(question):
        return OPPOSITE[sign] if WITHOUT.search(question) else None
    if sign and NEEDS.search(question) and POSSIBLE.search(section.heading) and not NEEDS.search(section.heading):
        return None
    return OPPOSITE[sign] if sign and denies(question) else sign


def _possible(section: Section, question: str) -> str | None:
    """Return yes when the question is whether something can be done and the section shows how, without a no or an "it depends"."""
    stated = LEAD.match(section.blocks[0].markdown)
    if stated and NAMES[stated.group(1)] != "yes":
        return None
    wanted = POSSIBLE.search(question) or WISH.search(question)
    about_else = NECESSITY.search(question) or PROBLEM.search(question) or len(question.split()) <= KEYWORDS
    asking = " ".join(sentence for sentence in sentences(question) if POSSIBLE.search(sentence) or WISH.search(sentence))
    names = ABBREVIATION.findall(asking) + ACTOR.findall(asking)
    text = f"{section.title} {section.text}".lower()
    about_else = about_else or any(name.lower() not in text for name in names)
    shows_how = not SYMPTOM.search(section.heading) and not DENIES.search(sentences(section.blocks[0].text)[0])
    return "yes" if wanted and shows_how and not about_else else None


def denies(question: str) -> bool:
    """Whether `question` asks for assent to a denial."""
    return bool(DENIAL.search(question))


def told(lead: str, sign: str | None) -> str:
    """Return the first paragraph with the verdict word that suits the question, or without one."""
    bare = LEAD.sub("", lead)
    if bare is not lead:
        bare = bare[:1].upper() + bare[1:]
    return f"**{WORDS[sign]}.** {bare}" if sign else bare

"""The handbook holds its own rules (CONTRIBUTING.md, "Writing a section"): form, ids, questions, links, manifests."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

DOCS = Path(__file__).parent.parent / "docs"
OUTSIDE = "<!-- outside this handbook -->"
PLAIN_PAGES = {"chooser.md", "calculator.md", "bot.md", "slack.md", "http-api.md", "quality.md", "sources.md"}  # not made of sections
VERDICT = ("**Yes.**", "**No.**", "**It depends.**")
YES_NO = re.compile(r"^(?:Can|Is|Are|Do|Does|Did|Should|Must|Will|Has|Have|May|Could|Would|Am)\b[^?]*\?$")
KUBERNETES = ("1.35", "1.36", "1.37")  # the supported minor versions
MAX_PROSE_WORDS = 230
LEAD_WORDS = (18, 125)


@dataclass(frozen=True)
class Part:
    """A `##` section in the Markdown source."""

    page: str
    heading: str
    anchor: str
    body: str

    @property
    def questions(self) -> list[str]:
        comment = re.search(r"<!-- questions\n(.*?)-->", self.body, re.S)
        return [line.strip()[2:].strip() for line in comment.group(1).splitlines() if line.strip().startswith("- ")] if comment else []

    @property
    def text(self) -> str:
        return re.sub(r"<!--.*?-->", "", self.body, flags=re.S).strip()

    @property
    def prose(self) -> str:
        return re.sub(r"^```.*?^```$", "", self.text, flags=re.S | re.M)

    @property
    def lead(self) -> str:
        return self.text.split("\n\n")[0]


def sources() -> list[Path]:
    return sorted(DOCS.glob("*.md"))


@lru_cache
def parts(page: Path) -> tuple[Part, ...]:
    text = re.sub(r"^```.*?^```$", lambda code: code.group().replace("\n#", "\n\0#"), page.read_text(encoding="utf-8"), flags=re.S | re.M)
    pieces = re.split(r"^(## .*)$", text, flags=re.M)
    found = []
    for heading, body in zip(pieces[1::2], pieces[2::2], strict=True):
        named = re.fullmatch(r"## (.+?) \{ #([a-z0-9-]+) \}", heading)
        found.append(Part(page.name, named[1] if named else heading, named[2] if named else "", body.replace("\0#", "#")))
    return tuple(found)


def answering() -> list[Part]:
    return [part for page in sources() if page.name not in PLAIN_PAGES for part in parts(page) if part.anchor != "sources"]


SECTIONS = answering()
HANDBOOK = [page for page in sources() if page.name not in PLAIN_PAGES]


def named(part: Part) -> str:
    return f"{part.page}#{part.anchor}"


def test_the_handbook_is_as_large_as_promised() -> None:
    assert len(HANDBOOK) >= 25
    assert len(SECTIONS) >= 300


@pytest.mark.parametrize("page", sources(), ids=lambda page: page.name)
def test_every_page_has_one_title_a_description_and_no_deeper_headings(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    assert re.search(r"\A---\n(?:.*\n)*description: \S.*\n(?:.*\n)*?---\n", text), "front matter with a description"
    assert re.findall(r"^# .*$", text, re.M) == re.findall(r"^# .+ \{ #[a-z0-9-]+ \}$", text, re.M)
    assert len(re.findall(r"^# ", text, re.M)) == 1
    assert not re.findall(r"^#{3,} .*$", text, re.M)
    assert all(part.anchor for part in parts(page)), "every heading has an explicit id"


@pytest.mark.parametrize("page", HANDBOOK, ids=lambda page: page.name)
def test_every_page_ends_with_sources_and_a_review_date(page: Path) -> None:
    last = parts(page)[-1]
    assert last.anchor == "sources"
    reviewed = re.search(r"^Reviewed (\d{4}-\d{2}-\d{2})\.$", last.body, re.M)
    assert reviewed
    date.fromisoformat(reviewed[1])
    assert re.search(r"^- \[.+\]\(https://", last.body, re.M)


def test_ids_are_unique_in_the_whole_handbook() -> None:
    anchors = Counter(part.anchor for page in sources() for part in parts(page) if part.anchor != "sources")
    assert [anchor for anchor, times in anchors.items() if times > 1] == []


@pytest.mark.parametrize("part", SECTIONS, ids=named)
def test_every_section_answers_first_and_stays_short(part: Part) -> None:
    words = len(part.lead.split())
    assert LEAD_WORDS[0] <= words <= LEAD_WORDS[1], f"the first paragraph has {words} words"
    assert not part.lead.startswith(("-", "*  ", "|", "```", "1."))
    assert len(part.prose.split()) <= MAX_PROSE_WORDS
    assert part.body.count("\n```") <= 2 * 3, "at most three code blocks"
    assert not re.search(r"\b(?:as (?:described|shown|mentioned) (?:above|below|earlier)|see above|previous section)\b", part.text, re.I)
    if YES_NO.match(part.heading):
        assert part.lead.startswith(VERDICT), "a yes/no heading needs **Yes.**, **No.** or **It depends.** first"


@pytest.mark.parametrize("part", SECTIONS, ids=named)
def test_every_section_names_questions_it_answers(part: Part) -> None:
    assert 8 <= len(part.questions) <= 100
    assert all(3 <= len(question) <= 400 for question in part.questions)


def test_no_question_is_used_twice() -> None:
    asked = Counter(re.sub(r"\W+", " ", question.lower()).strip() for part in SECTIONS for question in part.questions)
    assert [question for question, times in asked.items() if times > 1] == []


def yaml_blocks() -> list[tuple[str, str]]:
    blocks = []
    for page in sources():
        for block in re.finditer(r"^( *)```ya?ml[^\n]*\n(.*?)^ *```$", page.read_text(encoding="utf-8"), re.S | re.M):
            line = page.read_text(encoding="utf-8")[: block.start()].count("\n") + 1
            text = re.sub(rf"^{block[1]}", "", block[2], flags=re.M)
            blocks.append((f"{page.name}:{line}", text))
    return blocks


def is_declared_partial(text: str) -> bool:
    return text.startswith(("# Fragment", "# Helm values", "# Not Kubernetes"))


@pytest.mark.parametrize(("where", "text"), yaml_blocks(), ids=lambda value: value if ":" in value and "\n" not in value else "")
def test_yaml_is_whole_and_valid_or_says_that_it_is_a_part(where: str, text: str) -> None:
    documents = [document for document in yaml.safe_load_all(text) if document is not None]
    assert documents
    if is_declared_partial(text):
        return
    for document in documents:
        assert {"apiVersion", "kind", "metadata"} <= set(document), f"{where}: not a whole manifest"
        assert document["metadata"].get("name"), f"{where}: no name"
        group = document["apiVersion"].split("/")[0]
        if ("." in group and not group.endswith(".k8s.io")) or "gateway.networking" in group:
            continue  # custom resources: test_custom_resources.py
        for version in KUBERNETES:
            kubernetes_validate.validate(document, version, strict=True)


def test_internal_links_lead_to_a_page_and_a_heading() -> None:
    anchors = {page.name: {part.anchor for part in parts(page)} | title_anchor(page) for page in sources()}
    broken = []
    for page in sources():
        for target, anchor in re.findall(r"\]\(([a-z0-9-]+\.md)?(?:#([\w-]+))?\)", page.read_text(encoding="utf-8")):
            name = target or page.name
            if name not in anchors or (anchor and anchor not in anchors[name]):
                broken.append(f"{page.name}: {target}#{anchor}")
    assert broken == []


def title_anchor(page: Path) -> set[str]:
    return set(re.findall(r"^# .+ \{ #([a-z0-9-]+) \}$", page.read_text(encoding="utf-8"), re.M))


@pytest.mark.parametrize("page", sources(), ids=lambda page: page.name)
def test_every_column_of_a_table_has_a_header(page: Path) -> None:
    heads = re.findall(r"^(\|.*\|)\n\|[\s:|-]+\|$", page.read_text(encoding="utf-8"), re.M)
    assert [head for head in heads if re.search(r"\|\s*\|", head)] == []

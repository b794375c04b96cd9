"""Built site (a folder of HTML) → list[Section]: a heading, its anchor, and what stands under it.

Reads the main part of each page as MkDocs Material, Zensical, Sphinx and Docusaurus write it. Questions that a section
answers stand in an HTML comment under its heading (`<!-- questions … -->`), which every Markdown generator passes through.
Does not know how sections are searched or shown.
"""

import hashlib
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin

from bs4 import BeautifulSoup, Comment, Tag
from markdownify import MarkdownConverter

from bot.errors import SiteProblem

# Where the content of a page stands, most specific first.
CONTENT = ("article.md-content__inner", ".theme-doc-markdown", "[role=main]", "main article", "article", "main", "body")
SKIPPED = (
    "nav, script, style, template, button, form, svg, noscript, footer, .headerlink, .hash-link, .viewcode-link, .toctree-wrapper, "
    "[hidden]:not([role=tabpanel]), [data-ask-skip]"
)
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
NOT_CONTENT = {"404.html", "search.html", "genindex.html", "py-modindex.html", "print_page.html"}
NOT_PAGES = {"_static", "_modules"}  # folders of Sphinx: the theme's files, listings of source code
STOCK_TITLES = {"note", "hint", "tip", "info", "warning", "caution", "danger", "important", "attention", "see also"}  # of an admonition
OUTSIDE = "outside this handbook"  # comment that marks a page about what the handbook leaves to others
NESTED = "p + p, pre, ul, ol, dl, table"  # what makes a description more than one block
UNINDEXED = {"sources"}  # anchors of sections that answer nothing


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list item, code block or table: `text` as it reads on the page, `markdown` as it is shown elsewhere."""

    kind: str  # "paragraph" | "item" | "code" | "table"
    text: str
    markdown: str


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading, and the questions that its author says it answers."""

    url: str  # path under the site's root that opens at the heading: "/protocols/#udp"
    path: tuple[str, ...]  # headings from the page's title down to the section's own
    blocks: tuple[Block, ...]
    questions: tuple[str, ...] = ()
    outside: bool = False  # says what the site does not cover
    reviewed: str = ""  # the page's review date, ISO 8601, when it has one

    @property
    def title(self) -> str:
        """The headings on the way to the section, as a citation shows them."""
        return " › ".join(self.path)

    @property
    def heading(self) -> str:
        return self.path[-1]

    @property
    def text(self) -> str:
        """The section's words, code included, without its questions."""
        return "\n".join(block.text for block in self.blocks)


@dataclass(slots=True)
class _Draft:
    """A section while its page is being read."""

    anchor: str
    level: int
    heading: str
    within: Tag | None = None  # the list that describes a Sphinx object, and ends with it
    signature: str = ""
    blocks: list[Block] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)


def read(site: Path) -> list[Section]:
    """Return the sections of every page under `site`, in the order of their URLs.

    Raises SiteProblem when the folder is missing or holds no section.
    """
    if not site.is_dir():
        raise SiteProblem(f"There is no built site at {site}: run `mkdocs build` (or `make build`) first.")
    sections = [section for page in pages(site) for section in _read_page(page, _page_url(site, page))]
    if not sections:
        raise SiteProblem(f"The site at {site} has no page with headings: is it the folder with the built HTML?", "site-empty")
    return sections


def pages(site: Path) -> list[Path]:
    """Return the HTML files under `site` that are content, sorted."""
    return sorted(path for path in site.rglob("*.html") if path.name not in NOT_CONTENT and not NOT_PAGES & set(path.parts))


def fingerprint(site: Path) -> str:
    """Return a SHA-256 over the names and bytes of the site's pages: it changes when any page does."""
    digest = hashlib.sha256()
    for page in pages(site):
        digest.update(page.relative_to(site).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(page.read_bytes()).digest())
    return digest.hexdigest()


def _page_url(site: Path, page: Path) -> str:
    path = page.relative_to(site).as_posix()
    return "/" + (path.removesuffix("index.html") if page.name == "index.html" else path)


def _read_page(page: Path, url: str) -> Iterator[Section]:
    soup = BeautifulSoup(page.read_bytes(), "lxml")
    content = next((found for selector in CONTENT if (found := soup.select_one(selector))), None)
    if content is None or soup.select_one('meta[http-equiv="refresh"]'):
        return
    outside = any(comment.strip() == OUTSIDE for comment in content.find_all(string=lambda text: isinstance(text, Comment)))
    reviewed = re.search(r"Reviewed (\d{4}-\d{2}-\d{2})", content.get_text(" "))
    for tag in content.select(SKIPPED):
        tag.decompose()
    for link in content.find_all("a", href=True):
        link["href"] = urljoin(url, str(link["href"]))
    path: list[_Draft] = []
    for draft in _drafts(content):
        path = [above for above in path if above.level < draft.level] + [draft]
        if draft.anchor in UNINDEXED or not draft.blocks:
            continue
        yield Section(
            url=f"{url}#{draft.anchor}" if draft.anchor else url,
            path=tuple(step.heading for step in path),
            blocks=tuple(draft.blocks),
            questions=tuple(draft.questions),
            outside=outside,
            reviewed=reviewed.group(1) if reviewed else "",
        )


def _drafts(content: Tag) -> list[_Draft]:
    drafts: list[_Draft] = []
    for node in _nodes(content):
        if isinstance(node, Tag) and node.name in HEADINGS:
            drafts.append(_Draft(_anchor(node), int(node.name[1]), squeeze(node.get_text()).rstrip("¶#").strip()))
        elif not drafts:
            continue
        elif isinstance(node, Tag) and _is_signature(node):
            drafts.append(_described(node))
        elif isinstance(node, Comment):
            _owner(drafts, node).questions += _questions(node)
        elif isinstance(node, Tag) and (block := _block(node)):
            _owner(drafts, node).blocks.append(block)
    for draft in drafts:
        if draft.blocks and draft.signature != draft.heading and draft.signature:  # last: the description leads
            draft.blocks.append(Block("code", draft.signature, f"```\n{draft.signature}\n```"))
    return drafts


def _nodes(tag: Tag) -> Iterator[Tag | Comment]:
    """Yield headings, comments and whole blocks in reading order, going into everything else."""
    for child in tag.children:
        if isinstance(child, Comment):
            yield child
        elif not isinstance(child, Tag):
            continue
        elif child.name in (*HEADINGS, "p", "pre", "table", "li", "dt") or (child.name == "dd" and not child.select_one(NESTED)):
            yield child
        else:
            yield from _nodes(child)


def _is_signature(tag: Tag) -> bool:
    """Whether `tag` names what Sphinx describes below it (a function, a setting, an option) and can be linked to."""
    return tag.name == "dt" and "sig" in tag.get_attribute_list("class") and bool(tag.get("id"))


def _described(signature: Tag) -> _Draft:
    """Return the section of a Sphinx object: it stands below every heading, and below the object that it is a member of."""
    whole = squeeze(signature.get_text())
    name = "".join(part.get_text() for part in signature.select(".sig-prename, .sig-name"))
    level = len(HEADINGS) + len(signature.find_parents("dl"))
    return _Draft(str(signature["id"]), level, squeeze(name) or whole, within=signature.parent, signature=whole)


def _owner(drafts: list[_Draft], node: Tag | Comment) -> _Draft:
    """Return the last section that `node` belongs to: past the description of an object, that around it."""
    around = [id(parent) for parent in node.parents]
    return next(draft for draft in reversed(drafts) if draft.within is None or id(draft.within) in around)


def _anchor(heading: Tag) -> str:
    """Return the id that a link to the heading needs: its own, or (Sphinx) that of the section around it."""
    if heading.get("id"):
        return str(heading["id"])
    parent = heading.parent
    inside = parent is not None and parent.name in ("section", "div") and parent.find(HEADINGS) is heading
    return str(parent.get("id", "")) if inside and parent is not None else ""


def _questions(comment: Comment) -> list[str]:
    lines = [line.strip() for line in comment.strip().splitlines()]
    if not lines or lines[0].rstrip(":") != "questions":
        return []
    return [line.removeprefix("-").strip() for line in lines[1:] if line.removeprefix("-").strip()]


def _block(tag: Tag) -> Block | None:
    if tag.name == "pre":
        text = tag.get_text().strip("\n")
        fence = "`" * max(3, 1 + max((len(ticks) for ticks in re.findall(r"`+", text)), default=0))
        return Block("code", text, f"{fence}{_language(tag)}\n{text}\n{fence}") if text.strip() else None
    text = squeeze(tag.get_text(" " if tag.name == "table" else ""))
    if not text or _says_nothing(tag, text):
        return None
    kind = {"table": "table", "li": "item", "dd": "item"}.get(tag.name, "paragraph")
    return Block(kind, text, _markdown(tag))


def _says_nothing(tag: Tag, text: str) -> bool:
    """Whether a paragraph is only the kind of an admonition ("Note"), or a version in which something came without a word on what."""
    if "admonition-title" in tag.get_attribute_list("class"):
        return text.lower().rstrip(":") in STOCK_TITLES
    version = tag.select_one(".versionmodified")
    return version is not None and squeeze(version.get_text()) == text


def _language(pre: Tag) -> str:
    """Return the language that the generator wrote as a class on the block or around it."""
    near = [pre.find("code"), pre, pre.parent, pre.parent.parent if pre.parent else None]
    classes = " ".join(" ".join(map(str, tag.get_attribute_list("class"))) for tag in near if isinstance(tag, Tag) and tag.get("class"))
    found = re.search(r"\b(?:language|highlight)-([\w+]+)", classes)
    return found.group(1) if found and found.group(1) not in ("default", "none") else ""


_CONVERTER = MarkdownConverter(heading_style="ATX", bullets="-", escape_misc=False, escape_underscores=False, wrap=False)


def _markdown(tag: Tag) -> str:
    markdown = _CONVERTER.convert_soup(tag).strip()
    if tag.name == "li":
        return re.sub(r"^(?:[-*+]|\d+[.)])\s+", "", markdown)
    return markdown if tag.name == "table" else squeeze(markdown)


def squeeze(text: str) -> str:
    """Return `text` with runs of white space made one space, as a browser shows it."""
    return re.sub(r"\s+", " ", text).strip()


def abbreviations(site: Path) -> dict[str, str]:
    """Return short form → long form of every `<abbr title="long">short</abbr>` on the site's pages."""
    found: dict[str, str] = {}
    for page in pages(site):
        for long, short in re.findall(r'<abbr title="([^"]+)">([^<]+)</abbr>', page.read_text(encoding="utf-8", errors="replace")):
            found.setdefault(html.unescape(short), html.unescape(long))
    return found

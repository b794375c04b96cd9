"""Sections → llms.txt, and each page as Markdown beside its HTML, for programs that read docs (llmstxt.org).

Made from the built pages, so that any generator's site gets them. Knows no index and no questions.
"""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from bot.sections import Section


def write_llms(sections: Sequence[Section], site: Path) -> int:
    """Write llms.txt, llms-full.txt and an index.md (or NAME.md) a page into `site`; return the number of pages."""
    pages = {url: list(found) for url, found in groupby(sections, key=lambda section: section.url.split("#")[0])}
    listed, full = [], []
    for url, found in pages.items():
        title, address = found[0].path[0], markdown_address(url)
        text = _page(title, found)
        (site / address.lstrip("/")).write_text(text, encoding="utf-8")
        listed.append(f"- [{title}]({address}): {_summary(found)}")
        full.append(text)
    head = f"# {_site_title(sections)}\n\n> Every page below is also there as HTML: drop `index.md` from its address.\n"
    (site / "llms.txt").write_text(f"{head}\n## Pages\n\n" + "\n".join(listed) + "\n", encoding="utf-8")
    (site / "llms-full.txt").write_text("\n".join(full), encoding="utf-8")
    return len(pages)


def markdown_address(url: str) -> str:
    """Return where a page's Markdown stands: /ports/ → /ports/index.md, /ports.html → /ports.md."""
    return f"{url}index.md" if url.endswith("/") else url.removesuffix(".html") + ".md"


def _page(title: str, sections: Sequence[Section]) -> str:
    parts = [f"# {title}"]
    for section in sections:
        if len(section.path) > 1:
            parts.append("#" * min(len(section.path), 6) + f" {section.heading}")
        parts += [f"- {block.markdown}" if block.kind == "item" else block.markdown for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def _summary(sections: Sequence[Section]) -> str:
    return sections[0].blocks[0].text


def _site_title(sections: Sequence[Section]) -> str:
    return next((section.path[0] for section in sections if section.url.split("#")[0] == "/"), sections[0].path[0])

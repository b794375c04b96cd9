"""The handbook builds without a warning under MkDocs and under Zensical, and both sites say the same to readers and to the bot.

Each generator runs once, on a copy of the sources.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag

from bot.llms import write_llms
from bot.sections import Section, abbreviations, pages, read

ROOT = Path(__file__).parent.parent
TOOLS = Path(sys.executable).parent
SOURCES = ("docs", "includes", "mkdocs.yml")
COMMANDS = {"mkdocs": ["mkdocs", "build", "--strict"], "zensical": ["zensical", "build", "--strict", "--config-file", "mkdocs.yml"]}
COMPLAINT = re.compile(r"^(?:\x1b\[\d+m)*(?:WARNING|ERROR|CRITICAL|Warning|Error)\b.*$", re.M)
SITE_ROOT = "http://handbook.invalid"
HEADING = re.compile("^h[1-6]$")
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src", "object": "data", "embed": "src"}
LOADING_RELATIONS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "manifest"}
IN_STYLES = re.compile(r"url\(\s*[\"']?([^)\"']+)|@import\s+[\"']([^\"']+)")


def build(generator: str, folder: Path) -> Path:
    """Build a copy of the handbook in `folder` as strictly as the generator can; return the site."""
    folder.mkdir()
    for name in SOURCES:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile)(ROOT / name, folder / name)
    program, *options = COMMANDS[generator]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # Material's notice that MkDocs 1.x ends is no warning about the handbook
    run = subprocess.run([TOOLS / program, *options], cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    output = run.stdout + run.stderr
    assert not COMPLAINT.findall(output), output
    assert run.returncode == 0, output
    return folder / "site"


@pytest.fixture(scope="module")
def mkdocs_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("mkdocs", tmp_path_factory.mktemp("build") / "mkdocs")


@pytest.fixture(scope="module")
def zensical_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("zensical", tmp_path_factory.mktemp("build") / "zensical")


@pytest.fixture(scope="module")
def mkdocs_sections(mkdocs_site: Path) -> list[Section]:
    return read(mkdocs_site)


@pytest.fixture(params=list(COMMANDS))
def built(request: pytest.FixtureRequest) -> Path:
    return Path(request.getfixturevalue(f"{request.param}_site"))


@dataclass(frozen=True)
class Page:
    """What the tests ask of a built page."""

    ids: frozenset[str]
    headings: tuple[tuple[int, str, str], ...]  # level, id, words
    links: frozenset[str]
    loaded: tuple[str, ...]  # addresses of scripts, styles, images and frames, and those in its own styles
    bare_pictures: tuple[str, ...]  # pictures in the content without a text
    has_diagram: bool


@cache
def page_of(path: Path) -> Page:
    soup = BeautifulSoup(path.read_bytes(), "lxml")
    return Page(
        ids=frozenset(str(tag["id"]) for tag in soup.find_all(id=True)),
        headings=tuple((int(tag.name[1]), str(tag.get("id")), tag.get_text().removesuffix("¶").strip()) for tag in soup.find_all(HEADING)),
        links=frozenset(str(link["href"]) for link in soup.find_all("a", href=True)),
        loaded=(*loaded_by(soup), *(address for style in styles_in(soup) for address in named_in(style))),
        bare_pictures=tuple(str(picture)[:80] for picture in soup.select("article img, article svg") if not has_text(picture)),
        has_diagram=soup.select_one(".mermaid") is not None,
    )


def loaded_by(page: BeautifulSoup) -> Iterator[str]:
    for name, attribute in LOADED.items():
        yield from (str(tag[attribute]) for tag in page.find_all(name, attrs={attribute: True}))
    for tag in page.find_all(srcset=True):
        yield from (candidate.split()[0] for candidate in str(tag["srcset"]).split(",") if candidate.strip())
    for tag in page.find_all("link", href=True):
        if LOADING_RELATIONS & set(map(str, tag.get_attribute_list("rel"))):
            yield str(tag["href"])


def styles_in(page: BeautifulSoup) -> Iterator[str]:
    yield from (tag.get_text() for tag in page.find_all("style"))
    yield from (str(tag["style"]) for tag in page.find_all(style=True))


def named_in(style: str) -> list[str]:
    without_comments = re.sub(r"/\*.*?\*/", "", style, flags=re.S)
    return [address or imported for address, imported in IN_STYLES.findall(without_comments)]


def has_text(picture: Tag) -> bool:
    """Whether a picture says what it shows, says that it is decoration, or stands in a control that has a name."""
    if picture.get("alt") or picture.get("aria-label") or picture.get("aria-hidden") == "true" or picture.find("title"):
        return True
    control = picture.find_parent(["a", "button", "label"])
    return control is not None and bool(control.get("title") or control.get("aria-label") or control.get_text(strip=True))


def url_of(site: Path, path: Path) -> str:
    return f"{SITE_ROOT}/{path.relative_to(site).as_posix().removesuffix('index.html')}"


def html_pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def test_every_source_becomes_a_page(built: Path) -> None:
    expected = {"index.html" if source.stem == "index" else f"{source.stem}/index.html" for source in (ROOT / "docs").glob("*.md")}
    assert {path.relative_to(built).as_posix() for path in pages(built)} == expected


def test_the_bot_reads_the_same_sections_from_both_sites(mkdocs_sections: list[Section], zensical_site: Path) -> None:
    from_mkdocs = {section.url: section for section in mkdocs_sections}
    from_zensical = {section.url: section for section in read(zensical_site)}
    assert list(from_mkdocs) == list(from_zensical)
    assert [url for url, section in from_mkdocs.items() if section != from_zensical[url]] == []


def test_the_bot_reads_every_question_of_the_sources(mkdocs_sections: list[Section]) -> None:
    written = sum(len(re.findall(r"^- ", comment, re.M)) for source in sources() for comment in question_comments(source))
    assert sum(len(section.questions) for section in mkdocs_sections) == written


def sources() -> list[Path]:
    return sorted((ROOT / "docs").glob("*.md"))


def question_comments(source: Path) -> list[str]:
    text = re.sub(r"^```.*?^```$", "", source.read_text(encoding="utf-8"), flags=re.S | re.M)
    return re.findall(r"^<!-- questions\n(.*?)^-->", text, re.S | re.M)


def test_ids_written_in_the_sources_open_the_built_headings(built: Path) -> None:
    missing: list[str] = []
    for source in sources():
        headings = page_of(built / ("index.html" if source.stem == "index" else f"{source.stem}/index.html")).headings
        text = re.sub(r"^```+.*?^```+$", "", source.read_text(encoding="utf-8"), flags=re.S | re.M)
        written = re.findall(r"^#+ .+ \{ #([a-z0-9-]+) \}$", text, re.M)
        missing += [f"{source.name}#{anchor}" for anchor in written if anchor not in {built_id for _, built_id, _ in headings}]
    assert missing == []


def test_abbreviations_are_explained_where_they_stand(built: Path) -> None:
    written = dict(re.findall(r"^\*\[(.+?)\]: (.+)$", (ROOT / "includes" / "abbreviations.md").read_text(encoding="utf-8"), re.M))
    shown = abbreviations(built)
    assert {short: written.get(short) for short in shown} == shown
    assert len(shown) > len(written) / 2


def test_headings_are_in_order_on_every_page(built: Path) -> None:
    for path in html_pages(built):
        levels = [level for level, _, _ in page_of(path).headings]
        assert levels.count(1) == 1, path
        assert [(above, below) for above, below in zip([0, *levels], levels, strict=False) if below > above + 1] == [], path


def test_images_and_drawings_in_the_content_have_a_text(built: Path) -> None:
    assert [(path.name, bare) for path in html_pages(built) for bare in page_of(path).bare_pictures] == []


def test_internal_links_of_built_pages_open_a_file_and_an_anchor(built: Path) -> None:
    broken = []
    for path in html_pages(built):
        for address in sorted(page_of(path).links):
            url = urlsplit(urljoin(url_of(built, path), address))
            if f"{url.scheme}://{url.netloc}" == SITE_ROOT and not opens(built, url.path, unquote(url.fragment)):
                broken.append(f"{path.relative_to(built)}: {address}")
    assert broken == []


def opens(site: Path, path: str, anchor: str) -> bool:
    target = site / unquote(path).lstrip("/")
    target = target / "index.html" if target.is_dir() else target
    return target.is_file() and (not anchor or anchor in page_of(target).ids)


def test_pages_and_styles_load_nothing_from_another_host(built: Path) -> None:
    loaded = [(path, address) for path in html_pages(built) for address in page_of(path).loaded]
    loaded += [(path, address) for path in built.rglob("*.css") for address in named_in(path.read_text(encoding="utf-8"))]
    assert len(loaded) > len(html_pages(built)), "scripts and styles were found"
    assert [(path, address) for path, address in loaded if re.match(r"(?:[a-z][a-z0-9+.-]*:)?//", address, re.I)] == []


def test_no_page_has_a_diagram_for_which_the_theme_would_fetch_a_program(built: Path) -> None:
    assert [path for path in html_pages(built) if page_of(path).has_diagram] == []


def test_llms_txt_names_every_page_and_each_stands_beside_it_as_markdown(mkdocs_site: Path, mkdocs_sections: list[Section]) -> None:
    written = write_llms(mkdocs_sections, mkdocs_site)
    listed = re.findall(r"^- \[.+?\]\((/[^)]*)\)", (mkdocs_site / "llms.txt").read_text(encoding="utf-8"), re.M)
    assert len(listed) == written
    assert sorted(listed) == sorted(f"/{path.relative_to(mkdocs_site).as_posix().removesuffix('.html')}.md" for path in pages(mkdocs_site))
    for address in listed:
        markdown = mkdocs_site / address.lstrip("/")
        _, _, title = page_of(markdown.with_suffix(".html")).headings[0]
        assert markdown.read_text(encoding="utf-8").startswith(f"# {title}\n")

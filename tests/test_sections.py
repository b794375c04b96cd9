"""Pages as four generators write them → the sections that a reader sees."""

from contextlib import suppress
from pathlib import Path

import pytest

from bot.errors import SiteProblem
from bot.sections import Section, abbreviations, fingerprint, pages, read, squeeze
from tests.small_site import SERVICE, material, section


def by_url(site: Path) -> dict[str, Section]:
    return {section.url: section for section in read(site)}


def page(tmp_path: Path, body: str, name: str = "page/index.html") -> list[Section]:
    file = tmp_path / "site" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(body, encoding="utf-8")
    return read(tmp_path / "site")


def test_a_section_knows_its_address_headings_and_questions(site: Path) -> None:
    found = by_url(site)["/ingress/#ingress-udp"]
    assert found.path == ("Ingress", "Can an Ingress carry UDP?")
    assert found.title == "Ingress › Can an Ingress carry UDP?"
    assert found.questions[:2] == ("ingress udp", "should I use Ingress for UDP?")
    assert not found.outside


def test_a_block_reads_as_on_the_page_and_links_from_anywhere(site: Path) -> None:
    lead = by_url(site)["/ingress/#ingress-udp"].blocks[0]
    assert lead.text.startswith("No. An Ingress carries only HTTP and HTTPS.")
    assert lead.markdown.startswith("**No.** An `Ingress` carries only HTTP and HTTPS.")
    assert "[load balancers](/loadbalancer/#lb-udp)" in lead.markdown


def test_a_code_block_keeps_its_lines_and_its_language(site: Path) -> None:
    codes = [block for block in by_url(site)["/loadbalancer/#lb-udp"].blocks if block.kind == "code"]
    assert [block.text for block in codes] == [SERVICE, "kubectl apply -f service.yaml"]
    assert codes[0].markdown == f"```yaml\n{SERVICE}\n```"
    assert codes[1].markdown.startswith("```bash\n")


def test_lists_and_tables_are_blocks_of_their_kind(site: Path) -> None:
    found = by_url(site)
    assert [block.kind for block in found["/loadbalancer/#lb-pending"].blocks] == ["paragraph", "paragraph", "item", "item", "paragraph"]
    assert found["/loadbalancer/#lb-pending"].blocks[2].markdown == "Is a controller running?"
    table = found["/gateway/#gateway-cost"].blocks[-1]
    assert table.kind == "table"
    assert "| Ingress | one |" in table.markdown


def test_the_review_date_is_read_and_the_sources_answer_nothing(site: Path) -> None:
    found = by_url(site)
    assert found["/ingress/#ingress-udp"].reviewed == "2026-11-22"
    assert found["/gateway/#gateway-grpc"].reviewed == ""
    assert not [url for url in found if url.endswith("#sources")]


def test_a_page_about_what_is_outside_says_so(site: Path) -> None:
    assert {found.url for found in read(site) if found.outside} == {"/outside/#outside-storage"}


def test_a_page_of_sphinx_is_read_by_the_ids_of_its_sections(site: Path) -> None:
    found = by_url(site)
    greasing = found["/sphinx/widgets.html#greasing"]
    assert greasing.path == ("Widgets", "Greasing a widget")
    assert greasing.questions == ("lubricate sprocket",)
    assert [block.text for block in greasing.blocks] == ["Grease it weekly.", "widget.grease()", "interval", "Days between greasings."]
    assert greasing.blocks[1].markdown.startswith("```python\n")
    assert found["/sphinx/widgets.html#widgets"].text == "Widgets are made of sprockets."


def described(anchor: str, name: str, body: str, kind: str = "data") -> str:
    """Return HTML as Sphinx writes it for one object."""
    link = f'<a href="_modules/lib.html"><span class="viewcode-link">[source]</span></a><a class="headerlink" href="#{anchor}">¶</a>'
    return f'<dl class="py {kind}"><dt class="sig sig-object py" id="{anchor}">{name}{link}</dt><dd>{body}</dd></dl>'


PARAMETERS = (
    '<dl class="field-list"><dt>Parameters:</dt><dd><ul><li><p>size – in inches</p></li><li><p>color – paint</p></li></ul></dd></dl>'
)
GREASE = described("lib.Widget.grease", '<span class="sig-name descname">grease</span>()', "<p>Oil it.</p>", "method")
WIDGET = described(
    "lib.Widget",
    'class <span class="sig-prename descclassname">lib.</span><span class="sig-name descname">Widget</span>(size)',
    f"<p>A part that turns.</p><pre>Widget(3)</pre>{PARAMETERS}{GREASE}",
    "class",
)
SIZE = described("SIZE", '<span class="sig-name descname">SIZE</span>', "<p>Of all.</p>")
OBJECTS = f"""<div role="main"><section id="api"><h1>API<a class="headerlink" href="#api">¶</a></h1>
<p>Everything that is public.</p>{WIDGET}<p>Back to the whole.</p>{SIZE}
</section><section id="more"><h2>More</h2><p>Other things.</p></section></div>"""


def test_each_object_that_sphinx_describes_is_a_section_below_the_heading_or_object_around_it(tmp_path: Path) -> None:
    found = {section.url: section for section in page(tmp_path, OBJECTS, "api.html")}
    widget, grease = found["/api.html#lib.Widget"], found["/api.html#lib.Widget.grease"]
    assert widget.path == ("API", "lib.Widget")
    assert [(block.kind, block.text) for block in widget.blocks] == [
        ("paragraph", "A part that turns."),
        ("code", "Widget(3)"),
        ("paragraph", "Parameters:"),
        ("item", "size – in inches"),
        ("item", "color – paint"),
        ("code", "class lib.Widget(size)"),
    ]
    assert grease.path == ("API", "lib.Widget", "grease")
    assert [block.text for block in grease.blocks] == ["Oil it.", "grease()"]
    assert [block.text for block in found["/api.html#SIZE"].blocks] == ["Of all."]
    assert [block.text for block in found["/api.html#api"].blocks] == ["Everything that is public.", "Back to the whole."]
    assert found["/api.html#more"].path == ("API", "More")


def test_a_definition_of_several_blocks_keeps_its_code(tmp_path: Path) -> None:
    found = page(tmp_path, "<article><h1>A</h1><dl><dt>b</dt><dd><p>As in:</p><pre>x\n  y</pre></dd></dl></article>")
    assert [(block.kind, block.text) for block in found[0].blocks] == [("paragraph", "b"), ("paragraph", "As in:"), ("code", "x\n  y")]


def test_the_kind_of_an_admonition_and_a_bare_version_are_not_told(tmp_path: Path) -> None:
    title, version = '<p class="admonition-title">', '<p><span class="versionmodified">'
    told = f"{title}Note</p><p>Mind the gap.</p>{title}Mind this</p>{version}Added in version 2.</span></p>"
    found = page(tmp_path, f"<article><h1>A</h1>{told}{version}Changed in version 3:</span> It turns.</p></article>")
    assert [block.text for block in found[0].blocks] == ["Mind the gap.", "Mind this", "Changed in version 3: It turns."]


def test_every_tab_is_read_and_nothing_else_that_is_hidden(tmp_path: Path) -> None:
    tabs = "<div role=tabpanel><p>Linux</p></div><div role=tabpanel hidden><p>Windows</p></div><div hidden><p>Draft</p></div>"
    assert page(tmp_path, f"<article><h1>A</h1>{tabs}</article>")[0].text == "Linux\nWindows"


def test_listings_of_source_and_tables_of_contents_are_left_out(tmp_path: Path) -> None:
    contents = '<div class="toctree-wrapper"><p>Contents:</p><ul><li><a href="b.html">B</a></li></ul></div>'
    page(tmp_path, f"<article><h1>A</h1><p>a</p>{contents}</article>", "a.html")
    found = page(tmp_path, "<article><h1>Source code for lib</h1><pre>import os</pre></article>", "_modules/lib.html")
    assert [section.text for section in found] == ["a"]


def test_a_page_of_docusaurus_is_read_without_its_breadcrumbs_and_buttons(site: Path) -> None:
    found = by_url(site)
    assert found["/docusaurus/gadgets/"].blocks[0].text == "Gadgets come in boxes."
    unboxing = found["/docusaurus/gadgets/#unboxing"]
    assert unboxing.heading == "Unboxing a gadget"
    assert [block.text for block in unboxing.blocks] == ["Cut the tape carefully.", "gadget open"]
    assert unboxing.blocks[1].markdown.startswith("```bash\n")


def test_what_is_no_content_is_left_out(site: Path) -> None:
    text = "\n".join(found.title + found.text for found in read(site))
    for words in ("Navigation", "Footer", "Sidebar", "Breadcrumb", "Search words", "no such page", "Static", "Gone", "Copy", "¶"):
        assert words not in text
    assert not {path.name for path in pages(site)} & {"404.html", "search.html", "about.html"}


def test_a_missing_site_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SiteProblem, match="mkdocs build") as refused:
        read(tmp_path / "nowhere")
    assert refused.value.code == "site-missing"


def test_a_site_without_headings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SiteProblem, match="no page with headings") as refused:
        page(tmp_path, "<html><body><p>Only words.</p></body></html>")
    assert refused.value.code == "site-empty"


def test_headings_nest_by_their_level(tmp_path: Path) -> None:
    found = page(tmp_path, "<article><h1>A</h1><p>a</p><h2 id=b>B</h2><p>b</p><h3 id=c>C</h3><p>c</p><h2 id=d>D</h2><p>d</p></article>")
    assert [section.path for section in found] == [("A",), ("A", "B"), ("A", "B", "C"), ("A", "D")]


def test_code_that_holds_a_fence_gets_a_longer_one(tmp_path: Path) -> None:
    found = page(tmp_path, "<article><h1>A</h1><pre><code>```\nx\n```\n</code></pre></article>")
    assert found[0].blocks[0].markdown == "````\n```\nx\n```\n````"


def test_other_comments_are_no_questions(tmp_path: Path) -> None:
    found = page(tmp_path, "<article><h1>A</h1><!-- todo\n- ask the team\n--><p>a</p></article>")
    assert found[0].questions == ()


@pytest.mark.parametrize("body", ["", "<", "<html><body><article><h1></h1></article>", "<article><h2 id='x'>&#0;</h2><p>\udcff</p>"])
def test_broken_html_is_read_or_refused_but_never_a_crash(tmp_path: Path, body: str) -> None:
    file = tmp_path / "site" / "index.html"
    file.parent.mkdir()
    file.write_bytes(body.encode("utf-8", "surrogateescape"))
    with suppress(SiteProblem):
        assert all(section.blocks for section in read(tmp_path / "site"))


def test_the_fingerprint_changes_with_any_page_and_only_with_pages(tmp_path: Path) -> None:
    site = tmp_path / "site"
    page(tmp_path, material("A", "a", section("B", "b", [], "<p>One.</p>")))
    before = fingerprint(site)
    (site / "robots.txt").write_text("x", encoding="utf-8")
    assert fingerprint(site) == before
    page(tmp_path, material("A", "a", section("B", "b", [], "<p>Two.</p>")))
    changed = fingerprint(site)
    assert changed != before
    (site / "page").rename(site / "moved")
    assert fingerprint(site) not in (before, changed)


def test_abbreviations_come_from_the_pages(site: Path) -> None:
    assert abbreviations(site) == {"HTTP": "Hypertext Transfer Protocol"}


def test_squeeze_shows_white_space_as_a_browser_does() -> None:
    assert squeeze("  a\n\tb   c ") == "a b c"

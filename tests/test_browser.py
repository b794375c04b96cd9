"""The widget and the site in a real browser: the project's own pages and answers, through the real server."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser import NARROW, WIDE, launched, new_page, served, site_pages, start_axe, violations

QUESTION = "Can Ingress carry UDP?"
HOSTILE = '<img src="x" onerror="window.ran = 1"><script>window.ran = 1</script>'
COLOR_RULES = ["color-contrast", "link-in-text-block"]  # what can differ between light and dark
EMPTY_SEARCH = {"config": {"lang": ["en"], "separator": r"[\s\-]+", "pipeline": [], "fields": {}}, "docs": []}
LONG = "kubectl annotate ingress web " + "nginx.ingress.kubernetes.io/proxy-read-timeout=3600 " * 4
ANSWER: dict[str, Any] = {
    "id": "1",
    "question": QUESTION,
    "status": "answered",
    "verdict": None,
    "answer": "",
    "confidence": 0.9,
    "citations": [{"title": "Home", "url": "/", "quote": "", "score": 0.9}],
    "suggestions": [],
    "took_ms": 1.0,
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("served")) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains of; must be empty when the test ends."""
    return []


@pytest.fixture
def page(browser: Browser, address: str, complaints: list[str]) -> Iterator[Page]:
    """A wide, light page of a fresh reader, not yet at any address."""
    page = new_page(browser, address, complaints)
    yield page
    page.unroute_all(behavior="wait")  # an answer under way when the page closes would fail the next test
    page.context.close()
    assert complaints == []


def ask(page: Page, question: str = QUESTION) -> None:
    """Open the panel where it is closed, ask, and wait for the answer."""
    launcher = page.get_by_role("button", name="Ask the handbook")
    if launcher.is_visible():
        launcher.click()
    page.locator("#ask-input").fill(question)
    page.keyboard.press("Enter")
    answered(page)


def answered(page: Page) -> None:
    expect(page.locator(".ask-answer").last).not_to_have_attribute("aria-busy", "true")
    expect(page.locator(".ask-answer").last).to_be_visible()


def reply(page: Page, **parts: Any) -> None:
    """Let the bot answer every question with these parts: for answers that the handbook does not give."""
    page.route("**/api/ask", lambda route: route.fulfill(json=ANSWER | parts))


def open_with_instant_navigation(page: Page, address: str) -> None:
    """Open the first page so that the theme replaces pages in place: it takes the port from the sitemap, which has that of site_url."""
    sitemap = re.sub(r"https?://[^/<]+", address, page.request.get("/sitemap.xml").text())
    page.route("**/sitemap.xml", lambda route: route.fulfill(body=sitemap, content_type="application/xml"))
    with page.expect_response("**/sitemap.xml"):
        page.goto("/")


def press_until_focused(page: Page, key: str, selector: str) -> None:
    for _ in range(30):
        page.keyboard.press(key)
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{key} does not reach {selector}")


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than the screen."""
    width: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return width


def test_the_keyboard_alone_asks_and_opens_a_citation_at_its_heading(page: Page) -> None:
    page.goto("/")
    press_until_focused(page, "Shift+Tab", ".ask-button")
    page.keyboard.press("Enter")
    expect(page.locator("#ask-input")).to_be_focused()
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    answered(page)
    expect(page.locator("#ask-input")).to_be_focused()
    press_until_focused(page, "Shift+Tab", ".ask-sources li:first-child a")
    target = page.locator(".ask-sources a").first.get_attribute("href")
    assert target
    page.keyboard.press("Enter")
    page.wait_for_url(target)
    expect(page.locator(f'h2[id="{target.partition("#")[2]}"]')).to_be_in_viewport()


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_escape_closes_the_panel_and_gives_the_focus_back(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto("/")
    page.get_by_role("button", name="Ask the handbook").click()
    expect(page.get_by_role("dialog", name="Ask the handbook")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Ask the handbook")).to_be_hidden()
    expect(page.get_by_role("button", name="Ask the handbook")).to_be_focused()


def test_on_a_narrow_screen_the_focus_stays_in_the_panel(page: Page) -> None:
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    page.goto("/")
    page.get_by_role("button", name="Ask the handbook").click()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || document.activeElement.closest('.ask-panel') !== null")


def test_on_a_narrow_screen_a_followed_citation_uncovers_the_page(page: Page) -> None:
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    page.goto("/")
    ask(page)
    target = page.locator(".ask-sources a").first.get_attribute("href")
    assert target
    page.goto(target.partition("#")[0])  # a citation of the page that is open loads nothing: the panel must go by itself
    page.get_by_role("button", name="Ask the handbook").click()
    page.locator(".ask-sources a").first.click()
    page.wait_for_url(target)
    expect(page.locator(".ask-panel")).to_be_hidden()
    expect(page.locator(f'h2[id="{target.partition("#")[2]}"]')).to_be_in_viewport()


def test_enter_and_escape_while_a_word_is_composed_neither_send_nor_close(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Ask the handbook").click()
    devtools = page.context.new_cdp_session(page)
    for key in ("Escape", "Enter"):
        devtools.send("Input.imeSetComposition", {"text": " udp", "selectionStart": 4, "selectionEnd": 4})
        page.keyboard.press(key)
        expect(page.locator(".ask-panel")).to_be_visible()
        expect(page.locator(".ask-question")).to_have_count(0)
        page.locator("#ask-input").fill("")
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    expect(page.locator(".ask-question")).to_have_count(1)
    answered(page)


def test_a_newer_question_drops_the_older_one(page: Page) -> None:
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if json.loads(route.request.post_data or "")["question"] == "the older one":
            held.append(route)
        else:
            route.continue_()

    page.route("**/api/ask", hold_the_first)
    page.goto("/")
    page.get_by_role("button", name="Ask the handbook").click()
    page.locator("#ask-input").fill("the older one")
    page.keyboard.press("Enter")
    expect(page.locator(".ask-question")).to_have_text(["the older one"])
    ask(page)
    held[0].abort()
    expect(page.locator(".ask-question")).to_have_text([QUESTION])
    expect(page.locator(".ask-sources a").first).to_be_visible()


def test_earlier_questions_go_along_and_a_picked_suggestion_takes_the_focus_to_its_answer(page: Page) -> None:
    page.goto("/ingress/")
    ask(page)
    with page.expect_request("**/api/ask") as sent:
        page.locator(".ask-suggestion").first.click()
    answered(page)
    body = json.loads(sent.value.post_data or "")
    assert body["history"] == [{"question": QUESTION}]
    assert body["page"] == "/ingress/"
    expect(page.locator(".ask-exchange").last).to_be_focused()


def test_panel_and_conversation_stay_when_the_theme_replaces_the_page(page: Page, address: str) -> None:
    open_with_instant_navigation(page, address)
    page.evaluate("window.stays = true")
    ask(page)
    page.locator(".md-nav--primary .md-nav__item--active .md-nav__item:not(.md-nav__item--active) > a").first.click()
    page.wait_for_url(re.compile(r"/[a-z-]+/$"))
    assert page.evaluate("window.stays"), "the page was loaded anew: has mkdocs.yml a site_url?"
    expect(page.locator(".ask-question")).to_have_text([QUESTION])
    ask(page, "Why is EXTERNAL-IP pending?")
    expect(page.locator(".ask-question")).to_have_count(2)
    expect(page.locator("#ask-widget")).to_have_count(1)


def test_a_reload_keeps_conversation_and_open_panel_until_it_is_begun_anew(page: Page) -> None:
    page.goto("/")
    ask(page)
    told = page.locator(".ask-answer").inner_text()
    page.reload()
    expect(page.locator(".ask-panel")).to_be_visible()
    assert page.locator(".ask-answer").inner_text() == told
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".ask-exchange")).to_have_count(0)
    page.reload()
    expect(page.locator(".ask-exchange")).to_have_count(0)


def test_what_another_program_left_in_the_storage_does_no_harm(page: Page) -> None:
    page.goto("/")
    for left in ('{"exchanges": [{"question": "x"}]}', "[]", "null", "{"):
        page.evaluate("(left) => sessionStorage.setItem('ask /', left)", left)
        page.reload()
        expect(page.get_by_role("button", name="Ask the handbook")).to_be_visible()


def test_feedback_is_sent_and_not_asked_for_again(page: Page) -> None:
    page.goto("/")
    ask(page)
    with page.expect_response("**/api/feedback") as response:
        page.get_by_role("button", name="Yes", exact=True).click()
    assert response.value.status == 204
    expect(page.locator(".ask-rate")).to_have_text("Thank you, noted.")
    expect(page.locator(".ask-rate")).to_be_focused()
    page.reload()
    expect(page.locator(".ask-exchange")).to_have_count(1)
    expect(page.locator(".ask-rate")).to_have_count(0)


def test_markup_in_a_question_is_text_and_nothing_runs(page: Page) -> None:
    page.goto("/")
    ask(page, HOSTILE)
    expect(page.locator(".ask-question")).to_have_text(HOSTILE)
    assert page.locator("#ask-widget img, #ask-widget script").count() == 0
    assert page.evaluate("window.ran") is None


def test_markup_in_an_answer_is_text_and_only_web_addresses_are_links(page: Page) -> None:
    citation = {"title": HOSTILE, "url": "javascript:window.ran=1", "quote": HOSTILE, "score": 0.9}
    reply(page, answer=f"{HOSTILE}\n\n[here](javascript:window.ran=1) [there](//example.com/)", citations=[citation], suggestions=[HOSTILE])
    page.goto("/")
    ask(page)
    expect(page.locator(".ask-answer p").first).to_have_text(HOSTILE)
    assert page.locator(".ask-answer a, #ask-widget img, #ask-widget script").count() == 0
    assert page.evaluate("window.ran") is None


def test_markdown_of_every_kind_is_shown(page: Page) -> None:
    reply(
        page,
        answer="**No.** Use `a` or ``b`c``, see [TCP *and* UDP](/tcp-udp/#x), 2 \\* 3:\n\n- one\n  and more\n- two\n\n"
        "| Field | Value |\n| --- | --- |\n| `x\\|y` | 1 |\n\n````yaml\nkind: Service\n```\n````\n\nThe end.",
    )
    page.goto("/")
    ask(page)
    shown = page.locator(".ask-answer")
    expect(shown.locator("> p").first).to_have_text("No. Use a or b`c, see TCP and UDP, 2 * 3:")
    expect(shown.locator("p a")).to_have_attribute("href", re.compile(r"^http://[^/]+/tcp-udp/#x$"))
    expect(shown.locator("ul li")).to_have_text(["one and more", "two"])
    expect(shown.locator("th")).to_have_text(["Field", "Value"])
    expect(shown.locator("td")).to_have_text(["x|y", "1"])
    expect(shown.locator("pre")).to_have_text("kind: Service\n```")
    expect(shown.get_by_text("The end.")).to_be_visible()


def test_code_is_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    reply(page, answer="```\nkubectl get svc\n```")
    page.goto("/")
    ask(page)
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "kubectl get svc"


def test_a_question_that_is_too_long_is_not_cut_but_refused_and_kept(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Ask the handbook").click()
    page.locator("#ask-input").fill("x" * 1001)
    page.keyboard.press("Enter")
    expect(page.locator(".ask-notice")).to_contain_text("at most 1,000 characters")
    expect(page.locator("#ask-input")).to_have_value("x" * 1001)
    expect(page.locator(".ask-question")).to_have_count(0)


def test_what_the_bot_says_of_a_bad_question_is_shown(page: Page, complaints: list[str]) -> None:
    page.goto("/")
    ask(page, "udp\u0001?")
    expect(page.locator(".ask-answer")).to_contain_text("control characters")
    assert all("status of 4" in complaint for complaint in complaints)  # the browser's own note on the answer's status
    complaints.clear()


@pytest.mark.parametrize("broken", ["no connection", "no JSON"])
def test_while_the_bot_is_away_there_is_a_sentence_and_a_link_that_searches(
    page: Page, address: str, complaints: list[str], broken: str
) -> None:
    page.route("**/api/ask", lambda route: route.abort() if broken == "no connection" else route.fulfill(status=502, body="<html>"))
    open_with_instant_navigation(page, address)
    ask(page)
    expect(page.locator(".ask-answer")).to_have_text("The assistant is away at the moment. Search the site instead.")
    assert complaints
    assert all("Failed to load resource" in complaint for complaint in complaints)  # the browser's own note on the lost request
    complaints.clear()
    page.get_by_role("link", name="Search the site instead").click()
    expect(page.locator("[name=query]")).to_have_value(QUESTION)


def test_the_panel_follows_the_scheme_of_the_page(browser: Browser, address: str, complaints: list[str]) -> None:
    lightness = {}
    for scheme in ("light", "dark"):
        page = new_page(browser, address, complaints, scheme)
        page.goto("/")
        page.get_by_role("button", name="Ask the handbook").click()
        color = page.locator(".ask-panel").evaluate("(panel) => getComputedStyle(panel).backgroundColor")
        lightness[scheme] = sum(map(int, re.findall(r"\d+", color)[:3])) / 3
        page.context.close()
    assert lightness["light"] > 200
    assert lightness["dark"] < 60
    assert complaints == []


def test_on_a_narrow_screen_long_code_and_tables_scroll_by_themselves(page: Page) -> None:
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    reply(page, answer=f"{'x' * 200}\n\n```\n{LONG}\n```\n\n|{' column |' * 12}\n|{' --- |' * 12}\n|{' value |' * 12}")
    page.goto("/")
    ask(page)
    assert overflow(page) == 0
    for part in (".ask-log", ".ask-panel"):
        assert page.locator(part).evaluate("(part) => part.scrollWidth - part.clientWidth") == 0
    for part in (".ask-code pre", ".ask-table"):
        assert page.locator(part).evaluate("(part) => part.scrollWidth - part.clientWidth") > 0


def test_print_shows_the_page_without_the_widget(page: Page) -> None:
    page.goto("/")
    expect(page.locator(".ask-button")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator(".ask-button")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_axe_finds_nothing_in_the_open_panel(
    browser: Browser, address: str, complaints: list[str], scheme: str, size: tuple[int, int]
) -> None:
    page = new_page(browser, address, complaints, scheme, size)
    page.goto("/404.html")
    page.get_by_role("button", name="Ask the handbook").click()
    start_axe(page)
    assert violations(page) == []  # the greeting
    ask(page, "How do I expose a UDP service? Show me the YAML.")
    ask(page, "How do I bake bread?")
    reply(page, answer=f"```\n{LONG}\n```\n\n| a | b |\n| - | - |\n| 1 | [2](/) |")
    ask(page)
    start_axe(page)
    assert violations(page) == []
    page.context.close()
    assert complaints == []


def test_every_page_is_quiet_stays_on_this_host_fits_a_phone_and_passes_axe_in_light_and_dark(
    browser: Browser, address: str, complaints: list[str]
) -> None:
    light, dark = (new_page(browser, address, complaints, scheme) for scheme in ("light", "dark"))
    found: list[str] = []
    for page in (light, dark):
        page.route("**/search/search_index.json", lambda route: route.fulfill(json=EMPTY_SEARCH))  # else each page reads 1.5 MB
    for path in site_pages():
        for page, only in ((light, None), (dark, COLOR_RULES)):  # axe runs in both at once
            page.goto(path)
            start_axe(page, only)
        faults = violations(light) + violations(dark)
        light.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
        if wider := overflow(light):
            faults.append(f"{wider} pixels wider than a screen of {NARROW[0]}")
        light.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
        found += [f"{path}: {fault}" for fault in faults]
    light.context.close()
    dark.context.close()
    assert not found, "\n".join(found)
    assert complaints == []

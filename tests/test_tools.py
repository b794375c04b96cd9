"""The chooser and the cost calculator in a real browser: every combination of answers, every platform's figures, wrong input, access."""

import functools
import json
import os
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page, sync_playwright

from tests.test_custom_resources import is_custom, problems

ROOT = Path(__file__).parent.parent
SITE = Path(os.environ.get("PORTSIDE_SITE", ROOT / "site"))
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
KUBERNETES = ("1.35", "1.36", "1.37")  # the supported minor versions
CLOUDS = {"eks", "gke", "aks", "cloud"}
CLUSTER_WIDE = {"GatewayClass"}
NARROW = {"width": 320, "height": 700}

Advice = tuple[list[list[Any]], list[str]]  # rows of answers, outcome, title, reason and numbers of texts; the texts

# Each combination of answers once; a manifest or a list of links that many share is kept once and named by its number.
ASK_EVERYTHING = """() => {
  const { questions, recommend } = window.portsideChooser;
  let all = [{}];
  for (const question of questions) all = all.flatMap((one) => question.answers.map(([value]) => ({ ...one, [question.id]: value })));
  const texts = new Map();
  const number = (text) => (texts.has(text) || texts.set(text, texts.size), texts.get(text));
  const found = all.map((answers) => {
    const got = recommend(answers);
    const links = [...got.links, ...got.notes.filter((note) => note.link).map((note) => note.link)];
    const commands = number(JSON.stringify([got.before, got.after]));
    return [Object.values(answers).join(" "), got.use, got.title, got.why, number(got.manifest), number(JSON.stringify(links)), commands];
  });
  return { found: found, texts: [...texts.keys()] };
}"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The built site on a loopback port."""
    assert (SITE / "chooser" / "index.html").is_file(), f"no built site in {SITE}: run make build"
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(SITE)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page whose console stays empty and which talks to its own server only."""
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address.rstrip("/"))
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: None if request.url.startswith((address, "data:")) else said.append(request.url))
    yield opened
    context.close()
    assert said == []


def source(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


# The chooser


@pytest.fixture(scope="module")
def advice(browser: Browser, address: str) -> Advice:
    """What the chooser says to every combination of answers, and the texts that it says."""
    opened = browser.new_page()
    opened.goto(f"{address}chooser/")
    told = opened.evaluate(ASK_EVERYTHING)
    opened.close()
    return told["found"], told["texts"]


def test_every_combination_of_answers_gets_a_recommendation(advice: Advice) -> None:
    found, texts = advice
    assert len(found) == 7 * 4 * 4 * 3 * 3 * 2 * 3 * 4
    assert all(title and why and texts[manifest] and json.loads(texts[links]) for _, _, title, why, manifest, links, _ in found)
    assert all("undefined" not in text and "[object" not in text for text in texts)


def test_every_rule_and_outcome_can_be_reached(advice: Advice, page: Page) -> None:
    page.goto("chooser/")
    reasons = page.evaluate("window.portsideChooser.rules.map((rule) => rule.why)")
    outcomes = page.evaluate("Object.keys(window.portsideChooser.outcomes)")
    assert {row[3] for row in advice[0]} == set(reasons)
    assert {row[1] for row in advice[0]} == set(outcomes)


def test_every_manifest_is_valid(advice: Advice) -> None:
    found, texts = advice
    checked: set[str] = set()
    for text in {texts[row[4]] for row in found}:
        documents = parsed(text)
        names = [(document["kind"], document["metadata"].get("namespace"), document["metadata"]["name"]) for document in documents]
        assert len(set(names)) == len(names), text
        for document in documents:
            assert document["kind"] in CLUSTER_WIDE or document["metadata"]["namespace"], text
            key = json.dumps(document, sort_keys=True)
            if key not in checked:
                checked.add(key)
                hold_valid(document)
        hold_together(documents)
    assert len(checked) > 50


@functools.cache
def parsed(text: str) -> list[dict[str, Any]]:
    return list(yaml.load_all(text, Loader=yaml.CSafeLoader))


def hold_valid(document: dict[str, Any]) -> None:
    if is_custom(document):
        assert problems(document) == []
        return
    for version in KUBERNETES:
        kubernetes_validate.validate(document, version, strict=True)


def hold_together(documents: list[dict[str, Any]]) -> None:
    """A route names a listener and a Service that stand in the same manifest; so does an Ingress."""
    services = {one["metadata"]["name"]: {port["port"] for port in one["spec"]["ports"]} for one in documents if one["kind"] == "Service"}
    listeners = {item["name"] for one in documents if one["kind"] == "Gateway" for item in one["spec"]["listeners"]}
    for one in documents:
        if one["kind"].endswith("Route"):
            (backend,) = one["spec"]["rules"][0]["backendRefs"]
            assert backend["port"] in services[backend["name"]]
            assert one["spec"]["parentRefs"][0]["sectionName"] in listeners
        if one["kind"] == "Ingress":
            backends = [rule["http"]["paths"][0]["backend"]["service"] for rule in one["spec"]["rules"]]
            assert backends
            assert all(backend["port"]["number"] in services[backend["name"]] for backend in backends)


@dataclass(frozen=True)
class Shape:
    """What of a manifest depends on the answers."""

    text: str
    kinds: frozenset[str]
    types: frozenset[str]
    protocols: frozenset[str]
    names: frozenset[str]


@functools.cache
def shape(text: str) -> Shape:
    documents = parsed(text)
    services = [one for one in documents if one["kind"] == "Service"]
    return Shape(
        text=text,
        kinds=frozenset(one["kind"] for one in documents),
        types=frozenset(one["spec"]["type"] for one in services),
        protocols=frozenset(port["protocol"] for one in services for port in one["spec"]["ports"] if port["name"] != "health"),
        names=frozenset(one["metadata"]["name"] for one in services),
    )


def test_manifests_fit_the_answers(advice: Advice) -> None:
    found, texts = advice
    for answers, use, _, _, manifest, _, _ in found:
        where, who, protocol, count, edge, _, budget, _ = answers.split()
        made = shape(texts[manifest])
        assert made.protocols == ({"UDP"} if protocol == "udp" else {"TCP"}), answers
        assert (made.types == {"ClusterIP"} and len(made.kinds) == 1) or who != "pods", answers
        assert "internet-facing" not in made.text or who == "public", answers
        assert "internet-facing" in made.text or not (where == "eks" and who == "public" and use not in {"host-port", "node-port"}), answers
        assert not made.kinds & {"Ingress", "HTTPRoute"} or (protocol in {"http", "several"} and edge != "pass"), answers
        if budget == "zero" and where in CLOUDS:
            assert "LoadBalancer" not in made.types, answers
            assert "Gateway" not in made.kinds, answers
        if protocol in {"http", "several"} and count != "one":
            assert {"web", "api"} <= made.names, answers


def test_every_link_of_the_chooser_leads_to_a_page_and_a_heading(advice: Advice) -> None:
    found, texts = advice
    paths = {path for text in {texts[row[5]] for row in found} for _, path in json.loads(text)}
    assert len(paths) > 30
    broken = []
    for path in sorted(paths):
        page, _, anchor = path.partition("#")
        name = f"{page.rstrip('/')}.md"
        if not (ROOT / "docs" / name).is_file() or (anchor and f"{{ #{anchor} }}" not in source(name)):
            broken.append(path)
    assert broken == []


def test_the_decision_table_on_the_page_tells_the_same_outcomes_in_the_same_order(page: Page) -> None:
    page.goto("chooser/")
    titles = page.evaluate("window.portsideChooser.rules.map((rule) => window.portsideChooser.outcomes[rule.use].title)")
    told = re.findall(r"^\|[^|]+\| \*\*(.+?)\*\* \|", source("chooser.md"), re.M)
    assert [title for title, _ in groupby(told)] == [title for title, _ in groupby(titles)]


def test_the_chooser_says_what_is_still_to_answer_and_then_recommends(page: Page) -> None:
    page.goto("chooser/")
    status = page.locator("#chooser [role=status]")
    assert "Where does the cluster run?" in status.inner_text()
    assert page.locator("#chooser .tools-result").is_hidden()
    for label in ("Google Cloud (GKE)", "The internet", "HTTP, HTTPS, WebSocket or gRPC"):
        page.locator("#chooser").get_by_text(label, exact=True).click()
    assert status.inner_text() == "Recommendation: Gateway with HTTPRoute."
    assert "gke-l7-global-external-managed" in page.locator("#chooser pre").first.inner_text()


def test_the_chooser_shows_every_outcome_and_the_address_brings_it_back(page: Page) -> None:
    page.goto("chooser/")
    cases = page.evaluate(
        """() => {
          const { questions, recommend } = window.portsideChooser;
          const first = {};
          let all = [{}];
          for (const { id, answers } of questions) all = all.flatMap((one) => answers.map(([value]) => ({ ...one, [id]: value })));
          for (const answers of all) {
            const got = recommend(answers);
            first[got.use] ??= [answers, got.title, got.manifest];
          }
          return Object.values(first);
        }"""
    )
    assert len(cases) > 10
    for answers, title, manifest in cases:
        page.goto("chooser/?" + "&".join(f"{name}={value}" for name, value in answers.items()))
        assert page.locator("#chooser h3").inner_text() == title
        assert manifest in page.locator("#chooser pre").all_inner_texts()
        checked = page.evaluate("Object.fromEntries(new FormData(document.querySelector('#chooser form')))")
        assert checked == answers


def test_the_chooser_works_by_keyboard_alone(page: Page) -> None:
    page.goto("chooser/")
    page.locator("#chooser input").first.focus()
    page.keyboard.press("Space")  # where: EKS
    page.keyboard.press("ArrowDown")  # GKE
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # who: the internet
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # protocol: HTTP
    assert page.locator("#chooser h3").inner_text() == "Gateway with HTTPRoute"
    assert "where=gke" in page.url
    page.get_by_role("button", name="Start over").press("Enter")
    assert page.locator("#chooser .tools-result").is_hidden()
    assert "where" not in page.url


def test_unknown_answers_in_the_address_are_left_out(page: Page) -> None:
    page.goto("chooser/?where=moon&who=public&count=%3Cb%3E")
    assert "Where does the cluster run?" in page.locator("#chooser [role=status]").inner_text()
    assert page.locator("#chooser input[name=count]:checked").get_attribute("value") == "few"


def test_the_copy_button_copies_the_manifest(page: Page) -> None:
    page.goto("chooser/?where=metal&who=public&protocol=tcp&count=one")
    page.get_by_role("button", name="Copy: Manifest").click()
    page.get_by_role("button", name="Copy: Manifest").get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#chooser pre").first.inner_text()


# The calculator

# Hand-computed: a month of 730 hours; 730 × 0.0225 = 16.425, 730 × 0.005 = 3.65, 730 × 0.025 = 18.25, 730 × 0.01 = 7.30.
FIGURES = [
    # platform, services, ports, GB, zones, ipv4 → each: fixed, usage, total; shared: fixed, usage, total
    ("aws-nlb", 10, 1, 500, 3, "yes", ("$273.75", "$3.00", "$276.75"), ("$27.38", "$3.00", "$30.38")),
    ("aws-nlb", 10, 1, 500, 3, "no", ("$164.25", "$3.00", "$167.25"), ("$16.43", "$3.00", "$19.43")),
    ("aws-nlb", 30, 2, 1000, 2, "yes", ("$711.75", "$6.00", "$717.75"), ("$47.45", "$6.00", "$53.45")),  # 60 listeners: two shared NLBs
    ("aws-alb", 10, 1, 500, 3, "yes", ("$273.75", "$4.00", "$277.75"), ("$27.38", "$4.00", "$31.38")),
    ("aws-alb", 101, 1, 0, 1, "no", ("$1,658.93", "$0.00", "$1,658.93"), ("$32.85", "$0.00", "$32.85")),  # 101 rules: two shared ALBs
    ("gcp", 10, 1, 500, 3, "yes", ("$54.75", "$3.73", "$58.48"), ("$18.25", "$3.73", "$21.98")),
    ("gcp", 5, 3, 0, 3, "yes", ("$18.25", "$0.00", "$18.25"), ("$18.25", "$0.00", "$18.25")),
    ("azure", 10, 1, 500, 3, "yes", ("$91.25", "$2.50", "$93.75"), ("$21.90", "$2.50", "$24.40")),
    ("azure", 10, 2, 500, 3, "no", ("$127.75", "$2.50", "$130.25"), ("$18.25", "$2.50", "$20.75")),
    ("digitalocean", 10, 4, 500, 3, "yes", ("$120.00", "$0.00", "$120.00"), ("$12.00", "$0.00", "$12.00")),
    ("metal", 10, 1, 500, 3, "yes", ("$0.00", "$0.00", "$0.00"), ("$0.00", "$0.00", "$0.00")),
]


@pytest.mark.parametrize(("platform", "services", "ports", "traffic", "zones", "ipv4", "each", "shared"), FIGURES)
def test_figures_are_those_computed_by_hand(
    page: Page, platform: str, services: int, ports: int, traffic: int, zones: int, ipv4: str, each: list[str], shared: list[str]
) -> None:
    page.goto(f"calculator/?platform={platform}&services={services}&ports={ports}&traffic={traffic}&zones={zones}&ipv4={ipv4}")
    rows = page.locator("#calculator table").first.locator("tbody tr").all()
    cells = [row.locator("td").all_inner_texts() for row in rows]
    assert cells == [[one, other] for one, other in zip(each, shared, strict=True)]
    assert page.locator("#calculator h3").first.inner_text() == f"{each[-1]} a month"
    page.get_by_role("radio", name="One shared entry").check()
    assert page.locator("#calculator h3").first.inner_text() == f"{shared[-1]} a month"


def test_the_examples_on_the_page_are_what_the_calculator_says(page: Page) -> None:
    page.goto("calculator/")
    page.get_by_text("The same services on every platform").click()
    shown = page.locator("#calculator details table").last.locator("tbody tr").all()
    told = re.findall(r"^\| [^|]+ \| ([^|]*\$[\d.]+) \| ([^|]*\$[\d.]+) \|$", source("calculator.md"), re.M)
    ends = [[re.findall(r"\$[\d.]+", cell)[-1] for cell in row] for row in told]
    assert [row.locator("td").all_inner_texts() for row in shown] == ends


def test_prices_come_from_the_table_in_the_page(page: Page) -> None:
    changed = (SITE / "calculator" / "index.html").read_text(encoding="utf-8").replace("<td>12</td>", "<td>15</td>")
    page.route(lambda url: "platform=digitalocean" in url, lambda route: route.fulfill(body=changed, content_type="text/html"))
    page.goto("calculator/?platform=digitalocean")
    assert page.locator("#calculator h3").first.inner_text() == "$150.00 a month"


def test_a_reader_can_put_another_price_and_share_the_address(page: Page) -> None:
    page.goto("calculator/?platform=digitalocean")
    field = page.get_by_label("load balancer of one node, USD per month")
    assert page.locator("[data-field=price-do-node-month] .tools-hint").inner_text() == "unverified"
    field.fill("10.50")
    assert page.locator("#calculator h3").first.inner_text() == "$105.00 a month"
    page.goto(page.url)
    assert field.input_value() == "10.50"
    assert page.locator("#calculator h3").first.inner_text() == "$105.00 a month"
    page.get_by_role("button", name="Start over").click()
    assert "price" not in page.url
    assert page.locator("#calculator h3").first.inner_text() == "$276.75 a month"


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("-3", "Enter 1 or more."),
        ("0", "Enter 1 or more."),
        ("ten", "Enter a number such as 10."),
        ("", "Enter a number."),
        ("1.5", "Enter a whole number."),
        ("99999999999999999999", "Enter 10,000 or less."),
        ("1e9", "Enter a number such as 10."),
        ("<img src=x onerror=alert(1)>", "Enter a number such as 10."),
    ],
)
def test_wrong_input_gets_a_clear_message_and_no_figures(page: Page, typed: str, message: str) -> None:
    page.goto("calculator/")
    field = page.get_by_role("textbox", name="Services", exact=True)
    field.fill(typed)
    assert page.locator("#calculator-field-services-error").inner_text() == message
    assert field.get_attribute("aria-invalid") == "true"
    assert "correct the marked fields" in page.locator("#calculator [role=status]").inner_text()
    assert page.locator("#calculator .tools-result").is_hidden()
    field.fill("1,000")
    assert field.get_attribute("aria-invalid") is None
    assert page.locator("#calculator h3").first.inner_text() == "$27,378.00 a month"


def test_wrong_input_in_the_address_is_marked_like_typed_input(page: Page) -> None:
    page.goto("calculator/?platform=moon&services=many&traffic=-1")
    assert page.locator("#calculator [aria-invalid]").count() == 2
    assert page.locator("#calculator input[name=platform]:checked").get_attribute("value") == "aws-nlb"


def test_the_plot_tells_its_numbers_in_words_and_as_a_table(page: Page) -> None:
    page.goto("calculator/")
    plot = page.get_by_role("img", name="Total a month by number of services")
    assert "$27.68 for 1 service to $553.50 for 20." in plot.locator("desc").evaluate("element => element.textContent")
    page.get_by_text("The plot as a table").click()
    rows = page.locator("#calculator details table").first.locator("tbody tr").all()
    assert [rows[-1].locator("th").inner_text(), *rows[-1].locator("td").all_inner_texts()] == ["20", "$553.50", "$33.38"]


def test_the_calculator_works_by_keyboard_alone(page: Page) -> None:
    page.goto("calculator/")
    page.locator("#calculator input[name=platform]:checked").focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("20")
    assert page.locator("#calculator input[name=platform]:checked").get_attribute("value") == "azure"
    assert page.locator("#calculator h3").first.inner_text() == "$203.25 a month"  # 18.25 + 15 × 7.30 + 20 × 3.65 + 2.50
    assert "services=20" in page.url


# Both


@pytest.mark.parametrize("query", ["chooser/?where=eks&who=public&protocol=several", "calculator/", "calculator/?services=none"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong(browser: Browser, address: str, query: str, scheme: str) -> None:
    opened = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    opened.goto(address + query)
    opened.locator("#chooser form, #calculator form").wait_for()
    for summary in opened.locator("#calculator summary").all():
        summary.click()
    found = Axe().run(opened, context="#chooser, #calculator")
    opened.close()
    assert found.response["violations"] == []
    assert len(found.response["passes"]) > 10


@pytest.mark.parametrize("query", ["chooser/?where=eks&who=public&protocol=several", "calculator/?platform=azure"])
def test_nothing_is_wider_than_a_narrow_screen(page: Page, query: str) -> None:
    page.set_viewport_size({"width": NARROW["width"], "height": NARROW["height"]})
    page.goto(query)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    assert page.locator("#chooser .tools-result, #calculator .tools-result").bounding_box()["width"] <= NARROW["width"]  # type: ignore[index]


@pytest.mark.parametrize("name", ["chooser", "calculator"])
def test_both_start_again_when_the_theme_has_put_in_a_new_page(page: Page, name: str) -> None:
    page.goto(f"{name}/")
    page.evaluate("name => document.getElementById(name).replaceWith(Object.assign(document.createElement('div'), { id: name }))", name)
    assert page.locator(f"#{name} form").count() == 0
    page.evaluate("document$.next(document)")  # what Material does after instant navigation
    assert page.locator(f"#{name} form").count() == 1


@pytest.mark.parametrize("name", ["chooser", "calculator"])
def test_without_scripts_the_page_still_answers(name: str) -> None:
    text = BeautifulSoup((SITE / name / "index.html").read_text(encoding="utf-8"), "lxml")
    mount = text.select_one(f"#{name}")
    assert mount is not None
    assert "need" in mount.get_text()
    assert len(text.select("article table")) >= 2


@pytest.mark.parametrize("name", ["chooser.js", "calculator.js"])
def test_scripts_write_no_markup_and_ask_no_server(name: str) -> None:
    text = source(f"assets/{name}")
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "fetch(", "XMLHttpRequest", "sendBeacon"):
        assert word not in text

"""The project's own site and index behind the real server; a real browser that notes every complaint and foreign request; axe.

PORTSIDE_SITE and PORTSIDE_INDEX name other folders; CHROMIUM names another browser.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
WIDE, NARROW = (1280, 800), (360, 740)
FLAGS = "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync --no-first-run"
# What axe finds in the theme and no setting or style can mend: rule, and the elements it is excepted on.
EXCEPTED = {
    # The theme's script wraps the buttons of each code block in a <nav> without a name.
    "landmark-unique": ".md-code__nav, .md-nav",
    # The theme's search is a dialog without a name; the field inside it has one.
    "aria-dialog-name": ".md-search",
}
# One token of a kind stands for all of that color: thousands of spans on a page would take axe minutes and say the same.
ONE_TOKEN_OF_A_KIND = """() => {
  const seen = new Set();
  for (const token of document.querySelectorAll(".highlight code span[class]")) {
    if (seen.has(token.className)) token.replaceWith(token.textContent);
    seen.add(token.className);
  }
}"""
RUN_AXE = """([excepted, only]) => {
  const options = { resultTypes: ["violations"], preload: false, ...(only ? { runOnly: only } : {}) };
  const of = (node) => document.querySelector(node.target[0]);
  window.found = axe.run(options).then((results) => results.violations.flatMap((violation) =>
    violation.nodes
      .filter((node) => !(violation.id in excepted && of(node).matches(excepted[violation.id])))
      .map((node) => `${violation.id} on ${node.target}: ${node.failureSummary}`)));
}"""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the project's site and index with the command that readers use, its journal and log in `folder`; give the address."""
    environment = os.environ | {"PORTSIDE_JOURNAL": str(folder / "journal.sqlite")}
    with (folder / "log").open("w") as log:
        command = [sys.executable, "-m", "bot", "serve", "--port", "0"]
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True) as server:
            assert server.stdout
            said = server.stdout.readline()
            assert said.startswith("Site and bot: http://"), (folder / "log").read_text()
            yield said.split()[-1]
            server.terminate()


@contextmanager
def launched() -> Iterator[Browser]:
    """Give Debian's Chromium, or the one that is named, or Playwright's own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"), args=FLAGS.split(), chromium_sandbox=False
        )
        yield browser
        browser.close()


def new_page(browser: Browser, address: str, complaints: list[str], scheme: str = "light", size: tuple[int, int] = WIDE) -> Page:
    """Return a page of a fresh reader that notes console messages, errors of scripts and requests to other hosts in `complaints`."""
    viewport = {"width": size[0], "height": size[1]}
    context = browser.new_context(base_url=address, color_scheme=scheme, viewport=viewport)  # type: ignore[arg-type]
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(f"{page.url}: {message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    own = (f"{address}/", "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(own) else complaints.append(f"{page.url} asks {request.url}"))
    return page


def start_axe(page: Page, only: list[str] | None = None) -> None:
    """Let axe begin; `violations` waits for it."""
    page.evaluate(AXE)
    page.evaluate(ONE_TOKEN_OF_A_KIND)
    page.evaluate(RUN_AXE, [EXCEPTED, only])


def violations(page: Page) -> list[str]:
    found: list[str] = page.evaluate("window.found")
    return found


def site_pages() -> list[str]:
    """Return the path of every page of the served site."""
    site = ROOT / os.environ.get("PORTSIDE_SITE", "site")
    return sorted("/" + file.relative_to(site).as_posix().removesuffix("index.html") for file in site.rglob("*.html"))

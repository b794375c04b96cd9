"""The documents tell of everything there is: commands, options, settings, routes, error codes, files. Loops over the real ones."""

import argparse
import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from flask import Flask
from pydantic import BaseModel

from bot import errors
from bot.answer import MAX_HISTORY, MAX_QUESTION
from bot.cli import parser
from bot.errors import PortsideError
from bot.faces import web
from bot.settings import Settings

ROOT = Path(__file__).parent.parent
BOT, SLACK, API = ((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("bot.md", "slack.md", "http-api.md"))
ARTICLES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
MODELS = (web.AskRequest, web.FeedbackRequest, web.AnswerBody, web.CitationBody, web.HitBody, web.SearchBody, web.ReadyBody, web.Problem)


def sections(page: str) -> dict[str, str]:
    """Return heading → text of each `##` section."""
    pieces = re.split(r"^## (.+?)(?: \{ #[\w-]+ \})?$", page, flags=re.M)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def commands() -> dict[str, argparse.ArgumentParser]:
    action = next(action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(action.choices)


def options() -> list[tuple[str, str]]:
    found = [(name, option) for name, command in commands().items() for action in command._actions for option in action.option_strings]
    return [(name, option) for name, option in found if option not in ("-h", "--help")]


def error_classes(top: type[PortsideError] = PortsideError) -> Iterator[type[PortsideError]]:
    yield top
    for below in top.__subclasses__():
        yield from error_classes(below)


def codes_given_in(file: Path) -> Iterator[str]:
    """Yield the codes that `file` hands to an error of the tree, as second argument or by name."""
    names = {found.__name__ for found in error_classes()}
    for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in names:
            given = call.args[1:2] + [keyword.value for keyword in call.keywords if keyword.arg == "code"]
            yield from (str(code.value) for code in given if isinstance(code, ast.Constant))


def error_codes() -> set[str]:
    given = {code for file in (ROOT / "bot").rglob("*.py") for code in codes_given_in(file)}
    return given | {found.code for found in error_classes()} | set(web.PLAIN.values())


def row(page: str, begin: str) -> str:
    return next((line for line in page.splitlines() if line.startswith(f"| {begin}")), "")


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]+`", "", re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.S | re.M))


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def leads_somewhere(target: str, name: str) -> bool:
    """Whether a link in the file `name` leads to a file and, with an anchor, to a heading in it."""
    path, _, anchor = target.partition("#")
    file = ROOT / (path or name)
    if not anchor:
        return file.exists()
    return file.is_file() and anchor in map(slug, re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.M))


def file_map() -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", sections((ROOT / "README.md").read_text(encoding="utf-8"))["The files"], re.M)


def test_the_loops_have_something_to_go_through() -> None:
    assert {"build", "ask", "serve", "check", "bench", "tune", "gaps"} <= set(commands())
    assert {"port-taken", "index-stale", "not-json", "unknown-answer", "slack-not-configured", "too-large", "internal"} <= error_codes()


@pytest.mark.parametrize("name", list(commands()))
def test_every_command_is_documented(name: str) -> None:
    assert row(BOT, f"[`{name}`]"), "a row in the table of commands"


@pytest.mark.parametrize(("name", "option"), options(), ids=lambda value: value)
def test_every_option_is_documented_where_its_command_is(name: str, option: str) -> None:
    own = "".join(text for heading, text in sections(BOT).items() if re.search(rf"\b{name}\b", heading.split(":")[0]))
    assert re.search(rf"`{option}\b", own + sections(BOT)["Commands"])


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_documented_with_its_default_and_its_limits(name: str) -> None:
    field, line = Settings.model_fields[name], row(BOT, f"`PORTSIDE_{name.upper()}`")
    assert line
    default = {None: "unset", "": "empty"}.get(field.default, f"`{field.default}`")
    assert f"| {default}" in line
    limits = [getattr(limit, end) for limit in field.metadata for end in ("ge", "le") if hasattr(limit, end)]
    assert all(re.search(rf"\b{limit}\b", line.rsplit("|", 2)[1]) for limit in limits)


def test_every_variable_that_the_documents_name_is_a_setting() -> None:
    known = {f"PORTSIDE_{name.upper()}" for name in Settings.model_fields}
    named = set(
        re.findall(r"\bPORTSIDE_[A-Z_]+\b", BOT + SLACK + API + "".join((ROOT / name).read_text(encoding="utf-8") for name in ARTICLES))
    )
    assert named - known == set()


def test_every_route_is_documented(app: Flask) -> None:
    routes = {
        f"`{method} {re.sub(r'<[a-z]+:', '<', rule.rule)}`"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert len(routes) >= 9
    assert sorted(route for route in routes if route not in API) == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_is_documented(model: type[BaseModel]) -> None:
    assert [name for name in model.model_fields if f"`{name}`" not in API and f'"{name}"' not in API] == []


def test_the_example_answer_has_exactly_the_fields_of_an_answer() -> None:
    examples = [json.loads(block) for block in re.findall(r"^```json\n(\{\n.*?)^```$", API, re.S | re.M)]
    answers = [example for example in examples if "citations" in example]
    assert answers
    for answer in answers:
        assert set(answer) == set(web.AnswerBody.model_fields)
        web.AnswerBody.model_validate(answer)


@pytest.mark.parametrize("code", sorted(error_codes()))
def test_every_error_code_has_the_row_that_its_type_leads_to(code: str) -> None:
    line = row(API, f"`{code}`{{ #problem-{code} }} |")
    assert line
    assert all(cell.strip() for cell in line.strip("|").split("|"))


def test_no_documented_error_code_is_unknown() -> None:
    assert set(re.findall(r"\{ #problem-([\w-]+) \}", API)) == error_codes()


@pytest.mark.parametrize("error", list(error_classes()), ids=lambda error: error.__name__)
def test_every_exit_code_is_documented_with_its_error_codes(error: type[PortsideError]) -> None:
    assert f"`{error.code}`" in row(BOT, f"{error.exit_code} |")


def test_the_limits_are_the_real_ones() -> None:
    limits = sections(API)["Limits"]
    for limit in (MAX_QUESTION, MAX_HISTORY, web.MAX_BODY, web.MAX_HITS):
        assert re.search(rf"\| {limit:,}\b", limits)


def test_every_attribute_of_the_widget_is_documented() -> None:
    script = (ROOT / "docs" / "assets" / "ask.js").read_text(encoding="utf-8")
    attributes = re.findall(r'(?<![.\w])set\("([a-z]+)"', script)
    assert attributes
    assert [name for name in attributes if not row(BOT, f"`data-{name}`")] == []


def test_the_slack_manifest_asks_for_the_least_and_names_the_route_that_exists(app: Flask) -> None:
    manifest = yaml.safe_load((ROOT / "slack" / "manifest.yaml").read_text(encoding="utf-8"))
    command = manifest["features"]["slash_commands"][0]
    interactivity = manifest["settings"]["interactivity"]
    assert command["command"] == "/ask"
    assert manifest["oauth_config"]["scopes"] == {"bot": ["commands"]}
    assert interactivity["is_enabled"] is True
    assert interactivity["request_url"] == command["url"]
    address = urlsplit(command["url"])
    assert address.scheme == "https"
    assert app.url_map.bind("").match(address.path, method="POST")[0] == "slack.events"


def test_the_slack_manifest_stays_within_what_slack_takes() -> None:
    manifest = yaml.safe_load((ROOT / "slack" / "manifest.yaml").read_text(encoding="utf-8"))
    assert len(manifest["display_information"]["name"]) <= 35
    assert len(manifest["display_information"]["description"]) <= 140
    assert len(manifest["features"]["slash_commands"][0]["command"]) <= 32


def test_the_documents_name_the_slack_route_and_manifest() -> None:
    assert "https://YOUR.HOST/slack/events" in SLACK
    assert "slack/manifest.yaml" in SLACK


@pytest.mark.parametrize("name", file_map())
def test_every_file_of_the_map_exists(name: str) -> None:
    assert (ROOT / name).exists()


def test_the_map_names_every_file_of_the_bot() -> None:
    files = {f"bot/{file.name}" for file in (ROOT / "bot").glob("*.py")} - {"bot/__init__.py", "bot/__main__.py"}
    assert files - set(file_map()) == set()


@pytest.mark.parametrize("name", ARTICLES)
def test_relative_links_lead_to_files_and_headings(name: str) -> None:
    text = without_code((ROOT / name).read_text(encoding="utf-8"))
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'\b(?:src|srcset|href)="([^"]+)"', text)
    inside = [target for target in targets if not re.match(r"[a-z]+:", target)]
    assert [target for target in inside if not leads_somewhere(target, name)] == []


def test_every_make_command_is_documented() -> None:
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    targets.remove("help")
    assert [target for target in targets if not row(contributing, f"`make {target}`")] == []


def test_every_error_class_is_drawn_in_the_error_tree() -> None:
    assert [found.__name__ for found in error_classes() if found.__name__ not in (errors.__doc__ or "")] == []

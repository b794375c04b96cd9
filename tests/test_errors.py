"""The error tree: every error says what to do, has a code, and a place in the handbook that explains it."""

import ast
import inspect
import re

import pytest

from bot import errors
from bot.errors import PortsideError, QuestionRefused
from bot.faces import web
from tests.conftest import ROOT

TREE = [found for _, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, PortsideError)]
DRAWN = set(re.findall(r"\b[a-z]+(?:-[a-z]+)+\b", str(errors.__doc__).split("Knows nothing")[0]))


def raised_codes() -> set[str]:
    """Return the codes that stand in the code: as an error's class attribute, its second argument, or the table of the web face."""
    found = set(web.PLAIN.values()) | {error.code for error in TREE}
    for file in (ROOT / "bot").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {error.__name__ for error in TREE}:
                found |= {value.value for value in node.args[1:2] if isinstance(value, ast.Constant) and isinstance(value.value, str)}
    return found


@pytest.mark.parametrize("error", TREE, ids=lambda error: error.__name__)
def test_every_error_has_a_status_and_an_exit_code(error: type[PortsideError]) -> None:
    assert 400 <= error.status <= 599
    assert 1 <= error.exit_code <= 125
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", error.code)


def test_an_error_keeps_its_own_code_and_status_when_given_and_its_class_else() -> None:
    assert (QuestionRefused("Ask.").code, QuestionRefused("Ask.").status) == ("invalid-question", 422)
    given = QuestionRefused("Ask.", "empty-question", 400)
    assert (given.code, given.status, str(given)) == ("empty-question", 400, "Ask.")
    assert QuestionRefused.code == "invalid-question"


def test_exit_codes_tell_the_kinds_of_error_apart() -> None:
    own = [error.exit_code for error in TREE if error not in (errors.RequestRefused,)]
    assert len(set(own)) == len(own)


def test_the_tree_in_the_file_header_names_every_class_and_every_code() -> None:
    assert all(error.__name__ in str(errors.__doc__) for error in TREE)
    faces_own = set(web.PLAIN.values()) | {"internal", "invalid-question"}
    assert raised_codes() - faces_own - DRAWN == set()


def test_every_code_is_explained_where_the_problem_type_points() -> None:
    page = ROOT / "docs" / "http-api.md"
    assert page.is_file(), "docs/http-api.md explains the codes"
    explained = set(re.findall(r"#problem-([a-z-]+)", page.read_text(encoding="utf-8")))
    assert (raised_codes() | DRAWN) - explained == set()

"""Manifests of custom resources in the handbook hold what their own API servers accept: no unknown field, no wrong type or value.

`tests/schemas/<group>.json` holds facts derived from each project's CustomResourceDefinitions (field names, types, required
fields, enumerations, patterns, limits) for the kinds that the handbook shows; `derivedFrom` names project, version and license.
Rules written as expressions (CEL) are not among them.
"""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.test_handbook import is_declared_partial, yaml_blocks

SCHEMAS = Path(__file__).parent / "schemas"
MAX_SCHEMA_BYTES = 400_000
WITHOUT_SCHEMA = {
    ("net.gke.io/v1", "ServiceExport"): "GKE publishes no definition of it, and it has no field besides its name",
}


def is_custom(document: dict[str, Any]) -> bool:
    """Whether Kubernetes itself does not define the document's API group (as test_handbook.py divides them)."""
    group = document["apiVersion"].split("/")[0]
    return "/" in document["apiVersion"] and "." in group and (not group.endswith(".k8s.io") or group == "gateway.networking.k8s.io")


def custom_resources() -> Iterator[tuple[str, dict[str, Any]]]:
    for where, text in yaml_blocks():
        if not is_declared_partial(text):
            documents = [document for document in yaml.safe_load_all(text) if document]
            yield from ((f"{where} {document['kind']}", document) for document in documents if is_custom(document))


@lru_cache
def definitions(group: str) -> dict[str, Any]:
    path = SCHEMAS / f"{group}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"$defs": {}, "kinds": {}}


def validator(document: dict[str, Any]) -> jsonschema.Draft202012Validator | None:
    group, version = document["apiVersion"].split("/")
    known = definitions(group)
    schema = known["kinds"].get(f"{version}/{document['kind']}")
    return jsonschema.Draft202012Validator({**schema, "$defs": known["$defs"]}) if schema else None


def problems(document: dict[str, Any]) -> list[str]:
    """Return what an API server would refuse or drop, each with the path of the field."""
    checked = validator(document)
    if checked is None:
        known = (document["apiVersion"], document["kind"]) in WITHOUT_SCHEMA
        return (
            [] if known else [f"no schema of {document['apiVersion']} {document['kind']} in tests/schemas, and no reason in WITHOUT_SCHEMA"]
        )
    return [f"{error.json_path}: {error.message[:300]}" for error in checked.iter_errors(document)]


RESOURCES = list(custom_resources())


@pytest.mark.parametrize(("where", "document"), RESOURCES, ids=[where for where, _ in RESOURCES])
def test_a_custom_resource_is_what_its_definition_allows(where: str, document: dict[str, Any]) -> None:
    assert problems(document) == [], where


def test_an_unknown_field_a_wrong_type_and_a_wrong_value_are_found() -> None:
    route: dict[str, Any] = yaml.safe_load("""
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: web}
        spec:
          parentRefs: [{name: main}]
          rules: [{matches: [{path: {type: PathPrefix, value: /}}], backendRefs: [{name: web, port: 80}]}]
    """)
    assert problems(route) == []
    rule = route["spec"]["rules"][0]
    rule["backendRefs"][0] = {"name": "web", "servicePort": "80"}
    rule["matches"][0]["path"]["type"] = "Prefix"
    found = "\n".join(problems(route))
    assert "'servicePort' was unexpected" in found
    assert "'Prefix' is not one of" in found
    rule["backendRefs"][0] = {"name": "web", "port": "80"}
    assert "is not of type 'integer'" in "\n".join(problems(route))


def test_a_kind_without_schema_is_found() -> None:
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "web"}}
    assert problems(widget) == ["no schema of example.com/v1 Widget in tests/schemas, and no reason in WITHOUT_SCHEMA"]


def test_exceptions_are_still_needed() -> None:
    shown = {(document["apiVersion"], document["kind"]) for _, document in RESOURCES}
    assert set(WITHOUT_SCHEMA) <= shown
    assert all(validator({"apiVersion": version, "kind": kind}) is None for version, kind in WITHOUT_SCHEMA)


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.stem)
def test_a_schema_says_where_its_facts_come_from_and_holds_only_kinds_that_the_handbook_shows(path: Path) -> None:
    group = definitions(path.stem)
    shown = {(*document["apiVersion"].split("/"), document["kind"]) for _, document in RESOURCES}
    assert {(path.stem, *name.split("/")) for name in group["kinds"]} <= shown
    assert {kind for origin in group["derivedFrom"] for kind in origin["kinds"]} == {name.split("/")[1] for name in group["kinds"]}
    assert all(origin["project"] and origin["version"] and origin["license"] in ("Apache-2.0", "MIT") for origin in group["derivedFrom"])
    assert not re.search(r'"description":"', path.read_text(encoding="utf-8"))
    for schema in group["kinds"].values():
        jsonschema.Draft202012Validator.check_schema({**schema, "$defs": group["$defs"]})


def test_the_schemas_stay_small() -> None:
    assert sum(path.stat().st_size for path in SCHEMAS.glob("*.json")) < MAX_SCHEMA_BYTES

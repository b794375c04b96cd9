"""The OpenAPI document holds what the server does: schemathesis asks a live server, by its own command line."""

import json
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

from tests.conftest import Server

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


def test_every_generated_request_gets_the_answer_that_the_document_promises(server: Server, tmp_path: Path) -> None:
    options = "--checks all --phases examples,coverage,fuzzing --max-examples 40 --seed 20261122 --generation-deterministic --no-color"
    command = [str(SCHEMATHESIS), "run", f"{server.address}/openapi.json", *options.split()]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_the_document_describes_every_schema_that_it_refers_to(server: Server) -> None:
    with urlopen(f"{server.address}/openapi.json") as response:
        text = response.read().decode()
    document = json.loads(text)
    assert document["openapi"].startswith("3.1")
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"]
    assert all("operationId" in operation for path in document["paths"].values() for operation in path.values())

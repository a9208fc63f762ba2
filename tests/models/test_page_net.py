"""The page network: shapes, its model file, and its .onnx twin."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from qdigits.augment.pages.marks import CLASSES
from qdigits.errors import ModelFileError
from qdigits.models.checkpoint import load_any, load_model_file, load_page_net, save_model
from qdigits.models.export import export
from qdigits.models.onnx_page_net import OnnxPageNet
from qdigits.models.page_net import LocalContrast, PageNet


@pytest.fixture(scope="module")
def network() -> PageNet:
    torch.manual_seed(0)
    return PageNet(stem=4, fine=6, middle=8, coarse=10, head=8).eval()


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (75, 130), np.uint8)


def test_answers_have_a_cell_for_four_pixels(network):
    with torch.inference_mode():
        answer = network(torch.rand(2, 1, 48, 80))
    channels = (len(CLASSES), 4, 1, 4)
    assert [part.shape for part in answer] == [(2, count, 12, 20) for count in channels]


def test_weights_are_under_four_megabytes():
    assert sum(weight.numel() for weight in PageNet().parameters()) * 4 < 4e6


@pytest.mark.parametrize("change", [lambda x: x * 0.5, lambda x: x * 0.5 + 0.4])
def test_contrast_and_brightness_hardly_matter(change):
    picture = torch.rand(1, 1, 64, 64)
    evened = LocalContrast()
    assert torch.allclose(evened(picture), evened(change(picture)), atol=0.05)


def test_blank_paper_stays_blank():
    assert LocalContrast()(torch.full((1, 1, 64, 64), 0.7)).abs().max() < 1e-3


def test_a_saved_network_answers_the_same(network, tmp_path):
    save_model(network, tmp_path / "page.pth", {"recipe": "pages"})
    again = load_page_net(tmp_path / "page.pth")
    picture = torch.rand(1, 1, 32, 32)
    with torch.inference_mode():
        assert torch.equal(network(picture).heat, again(picture).heat)
    assert again.card == {"recipe": "pages"}
    assert isinstance(load_any(tmp_path / "page.pth"), PageNet)


def test_page_networks_and_digit_models_are_not_mistaken(network, tmp_path):
    save_model(network, tmp_path / "page.pth", {})
    with pytest.raises(ModelFileError, match="page_net"):
        load_model_file(tmp_path / "page.pth")
    with pytest.raises(ModelFileError, match="unknown architecture"):
        load_page_net("mnist_model.pth")


@pytest.fixture(scope="module")
def onnx_file(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "page.onnx"
    export(network, path)
    return path


def test_onnx_answers_as_torch_does(network, onnx_file, grey):
    maps = OnnxPageNet(onnx_file).maps(grey)
    padded = np.pad(grey, ((0, 5), (0, 14)), mode="edge")
    with torch.inference_mode():
        answer = network(torch.from_numpy(padded)[None, None].float() / 255)
    rows, columns = 19, 33
    assert maps.heat.shape == (len(CLASSES), rows, columns)
    wanted = answer._replace(heat=answer.heat.sigmoid(), printed=answer.printed.sigmoid())
    for ours, theirs in zip(maps, wanted, strict=True):
        assert np.allclose(ours, theirs[0, :, :rows, :columns].numpy(), atol=1e-4)


def test_damaged_and_foreign_onnx_files_are_refused(onnx_file, tmp_path):
    data = bytearray(onnx_file.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "damaged.onnx").write_bytes(data)
    for path in (tmp_path / "damaged.onnx", "mnist_model.onnx"):
        with pytest.raises(ModelFileError, match="not a page network"):
            OnnxPageNet(path)

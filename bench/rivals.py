"""What qdigits is measured against: the ways in which digits are usually trained.

Each function returns the seconds of its training and nothing else.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from bench.support import measure_seconds
from qdigits.data.split import Split
from qdigits.training.recipes import RECIPES

BASELINE = RECIPES["baseline"]
MEAN = 0.1307  # of MNIST's pixels
STD = 0.3081


class ToTensor:
    """Convert a picture as torchvision does, with all its checks.

    torchvision itself doesn't import beside a torch for processors.
    """

    def __call__(self, picture: Image.Image) -> Tensor:
        """Return a picture as a float tensor, (channels, height, width), 0 to 1."""
        if not isinstance(picture, Image.Image | np.ndarray):
            raise TypeError(type(picture))
        kinds = {"I": np.int32, "I;16": np.int16, "F": np.float32}
        tensor = torch.from_numpy(np.array(picture, kinds.get(picture.mode, np.uint8), copy=True))
        tensor = tensor.view(picture.size[1], picture.size[0], len(picture.getbands()))
        tensor = tensor.permute(2, 0, 1).contiguous()
        if tensor.dtype != torch.uint8:
            return tensor
        return tensor.to(torch.get_default_dtype()).div(255)


class Normalize(nn.Module):
    """Normalise a picture as torchvision does, with all its checks."""

    def forward(self, tensor: Tensor) -> Tensor:
        """Return (tensor - mean) / std."""
        if not tensor.is_floating_point() or tensor.ndim < 3:
            raise TypeError(tensor.dtype)
        tensor = tensor.clone()
        mean = torch.as_tensor([MEAN], dtype=tensor.dtype, device=tensor.device)
        std = torch.as_tensor([STD], dtype=tensor.dtype, device=tensor.device)
        if (std == 0).any():
            raise ValueError(std)
        return tensor.sub_(mean.view(-1, 1, 1)).div_(std.view(-1, 1, 1))


class PictureDataset(Dataset):
    """One picture at a time, as torchvision's MNIST gives it and pytorch/examples takes it."""

    def __init__(self, train: Split) -> None:
        """Keep the pictures and the labels."""
        self.images = train.images
        self.labels = train.labels
        self.transforms = [ToTensor(), Normalize()]

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return a picture and its label."""
        picture: Any = Image.fromarray(self.images[index].numpy(), mode="L")
        for transform in self.transforms:
            picture = transform(picture)
        return picture, int(self.labels[index])


def prepare_dataloader_loop(train: Split) -> Callable[[], float]:
    """Return the usual loop over a DataLoader of single pictures: one epoch a call."""
    layers = nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)
    model = nn.Sequential(nn.Flatten(), *layers)
    optimizer = torch.optim.SGD(model.parameters(), BASELINE.lr, BASELINE.momentum)
    loader = DataLoader(PictureDataset(train), BASELINE.batch_size, shuffle=True)

    def train_epoch() -> None:
        total = 0.0
        for images, labels in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            total += loss.item()

    return lambda: measure_seconds(train_epoch)


class NumpyNetwork:
    """The baseline's network, and its gradients by hand, on numpy's BLAS alone."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Draw the weights."""
        sizes = [(784, 128), (128, 64), (64, 10)]
        self.weights = [
            rng.uniform(-1, 1, size).astype(np.float32) / np.float32(size[0] ** 0.5)
            for size in sizes
        ]
        self.biases = [np.zeros(size[1], np.float32) for size in sizes]
        self.velocities = [np.zeros_like(value) for value in self.weights + self.biases]

    def train_step(self, pixels: np.ndarray, labels: np.ndarray) -> None:
        """Take one step of gradient descent with momentum.

        Args:
            pixels: Normalised pixels, float32 (n, 784).
            labels: (n,).
        """
        weights = self.weights
        hidden1 = np.maximum(pixels @ weights[0] + self.biases[0], 0)
        hidden2 = np.maximum(hidden1 @ weights[1] + self.biases[1], 0)
        logits = hidden2 @ weights[2] + self.biases[2]
        exponentials = np.exp(logits - logits.max(1, keepdims=True))

        # The gradients of the mean cross-entropy, from the last layer to the first.
        delta3 = exponentials / exponentials.sum(1, keepdims=True)
        delta3[np.arange(len(labels)), labels] -= 1
        delta3 /= len(labels)
        delta2 = (delta3 @ weights[2].T) * (hidden2 > 0)
        delta1 = (delta2 @ weights[1].T) * (hidden1 > 0)
        gradients = [
            *(pixels.T @ delta1, hidden1.T @ delta2, hidden2.T @ delta3),
            *(delta1.sum(0), delta2.sum(0), delta3.sum(0)),
        ]
        values = weights + self.biases
        for value, velocity, gradient in zip(values, self.velocities, gradients, strict=True):
            velocity *= BASELINE.momentum
            velocity += gradient
            value -= BASELINE.lr * velocity


def prepare_numpy_loop(train: Split) -> Callable[[], float]:
    """Return a loop with the same arithmetic in numpy and nothing else: one epoch a call."""
    rng = np.random.default_rng(0)
    network = NumpyNetwork(rng)
    labels = train.labels.numpy()
    pixels = train.images.numpy().reshape(-1, 784) / np.float32(255)
    pixels = ((pixels - MEAN) / STD).astype(np.float32)

    def train_epoch() -> None:
        order = rng.permutation(len(labels))
        for start in range(0, len(order), BASELINE.batch_size):
            chosen = order[start : start + BASELINE.batch_size]
            network.train_step(pixels[chosen], labels[chosen])

    return lambda: measure_seconds(train_epoch)


class ConvLayer(NamedTuple):
    """A convolution, followed by batch normalisation and ReLU."""

    kernel: int
    stride: int
    channels: int


class SmallCNN(NamedTuple):
    """A small CNN with Adam that reaches about the accuracy of one of our short recipes."""

    layers: list[ConvLayer]
    epochs: float
    lr: float
    label_smoothing: float = 0.0
    shift: int = 0  # pixels by which a batch is moved at most


SMALL_CNNS = {
    "fast97": SmallCNN([ConvLayer(5, 2, 8), ConvLayer(3, 2, 16)], epochs=0.22, lr=0.02),
    "fast98": SmallCNN(
        [ConvLayer(5, 2, 8), ConvLayer(3, 2, 16), ConvLayer(3, 1, 32)], epochs=0.35, lr=0.02
    ),
    "fast99": SmallCNN(
        [ConvLayer(5, 2, 16), ConvLayer(3, 2, 32), ConvLayer(3, 1, 64)],
        epochs=0.8,
        lr=0.01,
        label_smoothing=0.1,
    ),
    "fast995": SmallCNN(
        [
            *(ConvLayer(5, 2, 16), ConvLayer(3, 1, 16)),
            *(ConvLayer(3, 2, 32), ConvLayer(3, 1, 32), ConvLayer(3, 1, 32)),
        ],
        epochs=3,
        lr=0.01,
        label_smoothing=0.1,
        shift=1,
    ),
}
CROP = 24  # pixels of the middle that the small CNNs look at
CROP_BATCH = 128
WARM_UP = 0.3  # of the steps


def build_small_cnn(settings: SmallCNN) -> nn.Sequential:
    """Return the network, in the memory format that suits processors."""
    blocks: list[nn.Module] = []
    channels = 1
    side = CROP
    for layer in settings.layers:
        padding = layer.kernel // 2
        blocks += [
            nn.Conv2d(channels, layer.channels, layer.kernel, layer.stride, padding, bias=False),
            nn.BatchNorm2d(layer.channels),
            nn.ReLU(),
        ]
        channels = layer.channels
        side = -(-side // layer.stride)
    model = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(channels * side**2, 10))
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def train_small_cnn(train: Split, settings: SmallCNN, seed: int = 0) -> float:
    """Train with Adam, a linear warm-up and a linear decay, and return the seconds."""
    torch.manual_seed(seed)
    model = build_small_cnn(settings)
    optimizer = torch.optim.Adam(model.parameters(), settings.lr, (0.7, 0.99), fused=True)
    steps = round(settings.epochs * len(train) / CROP_BATCH)

    def train_all() -> None:
        passes = [torch.randperm(len(train)) for _ in range(math.ceil(settings.epochs))]
        order = torch.cat(passes).split(CROP_BATCH)[:steps]
        for step, chosen in enumerate(order):
            done = (step + 1) / (steps + 1)
            slope = min(done / WARM_UP, (1 - done) / (1 - WARM_UP))
            optimizer.param_groups[0]["lr"] = settings.lr * slope
            logits = model(crop_batch(train, chosen, settings.shift))
            loss = nn.functional.cross_entropy(
                logits, train.labels[chosen], label_smoothing=settings.label_smoothing
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return measure_seconds(train_all)


def crop_batch(train: Split, chosen: Tensor, shift: int) -> Tensor:
    """Return the middle of some tiles, all moved alike, as normalised (n, 1, 24, 24)."""
    middle = (28 - CROP) // 2
    top, left = torch.randint(middle - shift, middle + shift + 1, (2,)).tolist()
    crops = train.images[chosen, None, top : top + CROP, left : left + CROP]
    return crops.float().div_(255).sub_(MEAN).div_(STD)

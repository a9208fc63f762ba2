"""Train the 784-128-64-10 network the plain way: every step is written out, nothing is hidden.

    python examples/train_plain.py                      # 5,000 digits that need no download
    python examples/train_plain.py --data-dir FOLDER    # MNIST's four files: 97 % in 15 epochs

docs/learn/ explains it step by step.
"""

import argparse

import torch
from torch import Tensor, nn

from qdigits.data.loading import Split, load_test, load_training


def pixels_of(split: Split) -> Tensor:
    """Return the images as numbers around 0: float32 (N, 1, 28, 28)."""
    grey = split.images.unsqueeze(1).float() / 255  # ink 1.0 on paper 0.0
    return (grey - 0.1307) / 0.3081  # mean and standard deviation of MNIST's pixels


def build_network() -> nn.Module:
    """Return 784 inputs, two hidden layers of 128 and 64 units, and 10 outputs."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 128),
        nn.ReLU(),
        nn.Linear(128, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the share of images whose largest output is their label."""
    with torch.no_grad():
        return (model(images).argmax(1) == labels).float().mean().item()


def train_epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, images: Tensor, labels: Tensor
) -> float:
    """Show the network every image once, 32 at a time, and return the mean loss."""
    total = 0.0
    for batch in torch.randperm(len(labels)).split(32):
        logits = model(images[batch])  # (32, 10)
        loss = nn.functional.cross_entropy(logits, labels[batch])
        optimizer.zero_grad()  # forget the last batch's gradients
        loss.backward()  # how does the loss change with each weight?
        optimizer.step()  # move each weight a little against its gradient
        total += loss.item() * len(batch)
    return total / len(labels)


def main() -> None:
    """Train, print a line an epoch, and measure once on the test digits."""
    parser = argparse.ArgumentParser(description="Train the 784-128-64-10 network the plain way.")
    parser.add_argument("--data-dir", help="folder of MNIST's files; without it, 5,000 digits")
    parser.add_argument("--epochs", type=int, default=15)
    args = parser.parse_args()

    torch.manual_seed(0)
    source = "mnist" if args.data_dir else "sample"
    train, held_out = load_training(source, args.data_dir)
    images, held_out_images = pixels_of(train), pixels_of(held_out)
    model = build_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)

    for epoch in range(args.epochs):
        loss = train_epoch(model, optimizer, images, train.labels)
        right = accuracy(model, held_out_images, held_out.labels)
        print(f"epoch {epoch + 1:2}   loss {loss:.3f}   {right:.2%} of the held-out digits right")

    test = load_test(source, args.data_dir)
    print(f"{accuracy(model, pixels_of(test), test.labels):.2%} of {len(test):,} test digits right")


if __name__ == "__main__":
    main()

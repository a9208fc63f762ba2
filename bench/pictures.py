"""`make tables` also draws docs/preparation.png: one digit of an example on its way from the photo to the tile."""

from pathlib import Path

import matplotlib.pyplot as plt

from qdigits import load_model, read
from qdigits.plots import STYLE
from qdigits.show import steps

ROOT = Path(__file__).parent.parent


def main(example: str = "photo.jpg") -> None:
    model, photo = load_model("mnist_model.pth", "cpu"), ROOT / "examples" / example
    shown = steps(model, photo, read(model, photo).digits[0])
    with plt.rc_context(STYLE):
        figure, row = plt.subplots(1, len(shown), figsize=(2 * len(shown), 2.2), layout="constrained")
        for axes, (title, picture) in zip(row, shown.items(), strict=True):
            axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
            axes.set_title(title, loc="center", weight="normal")
            axes.set_axis_off()
        figure.savefig(ROOT / "docs" / "preparation.png")


if __name__ == "__main__":
    main()

"""Take the screenshots that the README shows, in headless Chromium.

    python -m tests.screenshots [FOLDER]               FOLDER is demos/pictures unless given

Needs what `tests/browser.py` needs, and the extra "demos", with which Pillow comes. They show a browser's
fonts, so that their bytes differ from machine to machine; their sizes do not.
"""

import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from autograd import Value, draw
from demos import moons
from tests.browser import browser

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 1240
COLOURS = 256  # in each file's palette: a third of the bytes of full colour


def neuron():
    """The README's first example."""
    x1, x2 = Value(2.0, "x1"), Value(0.5, "x2")
    w1, w2 = Value(-3.0, "w1"), Value(1.0, "w2")
    out = (w1 * x1 + w2 * x2 + Value(6.0, "b")).tanh()
    out.label = "out"
    return out


def shots(folder):
    """{file name: (page, step, keys, colour scheme, height)}; the pages are written to `folder`."""
    draw(neuron(), partials=True).save(folder / "steps.html")
    moons.main(["--html", "--quiet", "--steps", "100", "--out", str(folder)])
    return {
        "steps-forwards.png": ("steps.html", 3, "", "light", 400),
        "steps-backwards.png": ("steps.html", 10, "n", "dark", 510),
        "training.png": ("moons.html", 60, "", "light", 750),
    }


def take(target):
    """Write each of them to the folder `target`; returns their paths."""
    with tempfile.TemporaryDirectory() as folder, browser() as window:
        paths = []
        for name, (page, step, keys, scheme, height) in shots(Path(folder)).items():
            window.view(WIDTH, height)
            window.prefer(color_scheme=scheme)
            window.open("about:blank")
            window.open(f"{(Path(folder) / page).as_uri()}#{step}")
            window.press(*keys)
            window.run_until_done("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
            paths.append(Path(target) / name)
            with Image.open(BytesIO(window.screenshot())) as picture:
                few = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            few.save(paths[-1], optimize=True)
    return paths


if __name__ == "__main__":
    for path in take(sys.argv[1] if len(sys.argv) > 1 else ROOT / "demos" / "pictures"):
        print(path)

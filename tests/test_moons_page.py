"""The page of a training: what it says of each step, that it is closed, how it moves in a real browser."""

import base64
import hashlib
import json
import re

import numpy as np
import pytest

from demos.moons_page import LARGEST, SIDE, Training, training_page
from tests.browser import CHROMIUM, DRIVER, browser
from tests.drawings import Page

POINTS = np.array([[-2.0, 2.0, 1.0], [0.0, 1.0, -1.0]])
CLASSES = np.array([-1.0, 1.0, -1.0])
STEPS = 8


def trained(steps=STEPS):
    """Two parameters that halve at each step; the loss is the sum of their squares."""
    training = Training(lambda theta: (float(theta @ theta), 2 * theta))
    theta = np.array([1.0, -4.0])
    for _ in range(steps + 1):
        _, gradient = training(theta)
        theta = theta - 0.25 * gradient
    return training


def page(training, scores=lambda theta, x: x[0]):
    """Scores are x, whatever the parameters, unless others are given."""
    layers = [np.array([True, False]), np.array([False, True])]
    return training_page(training, scores, POINTS, CLASSES, layers)


def diverged():
    """One whose steps are ever longer: θ, -10¹⁰⁰ θ, 10²⁰⁰ θ, and beyond, where squares overflow; then nan."""
    training = Training(lambda theta: (float(theta @ theta), 2 * theta))
    with np.errstate(all="ignore"):
        for theta in ([1.0, -4.0], [-1e100, 4e100], [1e200, -4e200], [np.inf, -np.inf], [np.nan, np.nan]):
            training(np.array(theta))
    return training


def data_in(text):
    return json.loads(Page(text).inner("script")[0])


def test_a_training_keeps_what_each_step_saw_even_if_its_arrays_are_used_again():
    theta = np.array([3.0])
    gradient = np.array([0.0])
    training = Training(lambda theta: (float(theta[0]), gradient))
    for number in (3.0, 5.0):
        theta[0], gradient[0] = number, 10 * number
        training(theta)
    assert training.losses == [3.0, 5.0]
    assert [float(x[0]) for x in training.thetas] == [3.0, 5.0]
    assert [float(x[0]) for x in training.gradients] == [30.0, 50.0]


def test_the_page_has_every_steps_loss_and_each_layers_gradient():
    data = data_in(page(trained()))
    assert data["loss"] == [17 / 4**k for k in range(STEPS + 1)]
    assert data["gradients"] == [[2 / 2**k for k in range(STEPS + 1)], [8 / 2**k for k in range(STEPS + 1)]]
    assert [frame["step"] for frame in data["frames"]] == list(range(STEPS + 1))


def test_a_frame_has_the_scores_row_by_row_from_the_top_and_counts_the_points():
    frame = data_in(page(trained(1)))["frames"][0]
    grid = np.frombuffer(base64.b64decode(frame["grid"]), np.uint8).reshape(SIDE, SIDE)
    assert (grid == grid[0]).all()
    x = np.linspace(-2.3, 2.3, SIDE)  # the points' extent and the margin
    np.testing.assert_allclose((grid[0] - 128.0) / 127, np.clip(x / LARGEST, -1, 1), atol=0.5 / 127 + 1e-9)
    assert frame["right"] == 2  # the third point's score is 1, and its class -1


def test_a_long_training_has_at_most_a_hundred_boundaries_and_the_last_one():
    steps = [frame["step"] for frame in data_in(page(trained(1000)))["frames"]]
    assert len(steps) <= 101
    assert (steps[0], steps[-1]) == (0, 1000)


def test_a_training_that_diverges_has_a_page_whose_lines_have_gaps():
    text = page(diverged(), lambda theta, x: x[0] * theta[0])
    data = data_in(text)
    assert data["loss"] == [17.0, pytest.approx(17e200), "inf", "inf", "nan"]
    assert data["gradients"][0] == [2.0, pytest.approx(2e100), "inf", "inf", "nan"]
    paths = [a["d"] for _, a in Page(text).elements if a.get("class", "").startswith("line ")]
    assert [(path.count("M"), path.count("L")) for path in paths] == [(1, 1)] * 3
    assert "nan" not in "".join(paths)
    assert text.count("not finite at 3 of 5 steps, from step 2") == 2
    last = data["frames"][-1]
    assert last["right"] == 0  # where no score is a number, no point is on its side
    assert set(base64.b64decode(last["grid"])) == {0}


def test_a_line_goes_on_after_a_gap_and_a_training_without_any_finite_number_has_axes():
    losses = iter([1.0, float("nan"), 0.5])
    training = Training(lambda theta: (next(losses), theta))
    for _ in range(3):
        training(np.array([np.nan, np.nan]))
    text = page(training)
    loss, *others = [a["d"] for _, a in Page(text).elements if a.get("class", "").startswith("line ")]
    assert (loss.count("M"), loss.count("L")) == (2, 0)
    assert others == ["", ""]
    assert "not finite at 1 of 3 steps, from step 1" in text
    assert "not finite at 3 of 3 steps, from step 0" in text


def test_the_page_is_closed_and_asks_for_nothing_from_elsewhere():
    text = page(trained())
    found = Page(text)
    (policy,) = [a["content"] for _, a in found.elements if a.get("http-equiv") == "Content-Security-Policy"]
    hashes = {
        f"{kind}-src 'sha256-{base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()}'"
        for kind, inner in (("style", found.inner("style")[0]), ("script", found.inner("script")[1]))
    }
    assert set(policy.split("; ")) == {"default-src 'none'", "base-uri 'none'", "form-action 'none'", *hashes}
    for tag, attributes in found.elements:
        assert not {"src", "href", "style", "action"} & set(attributes), tag
    script = found.inner("script")[1]
    assert not re.search(r"https?:|url\(|import\(|fetch|XMLHttp|WebSocket|eval\(|innerHTML", script)


@pytest.fixture(scope="module")
def window():
    if not (CHROMIUM and DRIVER):
        pytest.skip("needs Debian's packages chromium and chromium-driver")
    with browser() as opened:
        opened.resize(1200, 900)
        yield opened


@pytest.fixture
def opened(window, tmp_path):
    """A function that opens the page at a step; afterwards the page must not have complained."""
    (tmp_path / "moons.html").write_text(page(trained()), encoding="utf-8")

    def open_page(link=""):
        window.open("about:blank")
        window.open(f"{(tmp_path / 'moons.html').as_uri()}{link}")
        return window

    window.complaints()
    yield open_page
    assert window.complaints() == []


def cursors(window):
    """How far along its axis each chart's upright line is, from 0 to 1."""
    return window.run("""
        const [left, right] = JSON.parse(document.getElementById("data").textContent).plot;
        return [...document.querySelectorAll(".cursor")].map((line) =>
          (line.transform.baseVal.consolidate().matrix.e - left) / (right - left));
    """)


def test_keys_slider_and_link_choose_a_step_and_all_parts_follow(opened):
    window = opened("#4")
    assert window.text("#counter") == "step 4 of 8"
    assert cursors(window) == pytest.approx([0.5, 0.5])
    assert window.text("#lossnow") == f"now {17 / 4**4:.3}"
    window.press("ArrowRight", "ArrowRight", "ArrowLeft")
    assert window.text("#counter") == "step 5 of 8"
    assert window.text("#gradientsnow").startswith("now layer 0: 0.0625 · layer 1: 0.250")
    window.press("End", "ArrowRight")
    assert (window.text("#counter"), cursors(window)) == ("step 8 of 8", pytest.approx([1, 1]))
    window.press("Home")
    assert (window.text("#counter"), cursors(window)) == ("step 0 of 8", pytest.approx([0, 0]))
    window.run("""
        const slider = document.getElementById("slider");
        slider.value = 6;
        slider.dispatchEvent(new Event("input"));
    """)
    assert window.text("#counter") == "step 6 of 8"
    assert window.run("return location.hash") == "#6"
    assert window.text("#right") == "2 of 3 points are on the right side"


def test_steps_that_are_not_finite_are_told_and_painted_as_such(window, tmp_path):
    text = page(diverged(), lambda theta, x: x[0] * theta[0])
    (tmp_path / "diverged.html").write_text(text, encoding="utf-8")
    window.complaints()
    window.open(f"{(tmp_path / 'diverged.html').as_uri()}#4")
    assert window.text("#lossnow") == "now nan"
    assert window.text("#gradientsnow") == "now layer 0: nan · layer 1: nan (root mean square)"
    assert window.text("#right") == "0 of 3 points are on the right side"
    assert window.complaints() == []
    pixel = """
        const canvas = document.getElementById("boundary");
        return [...canvas.getContext("2d").getImageData(10, 20, 1, 1).data].slice(0, 3)"""
    assert window.run(pixel) == [203, 213, 225]  # grey, of neither class
    window.press("Home")
    assert window.run(pixel) != [203, 213, 225]
    assert window.text("#lossnow") == "now 17.0"
    window.complaints()  # Chromium's advice on reading pixels twice


def test_nothing_of_the_page_is_beyond_the_edge_of_a_narrow_window(opened):
    page = opened()
    try:
        page.view(320, 640)
        assert page.run("return document.documentElement.scrollWidth") == 320
    finally:
        page.view(1000, 700)


def test_a_wrong_link_is_the_beginning_and_one_beyond_the_end_is_the_end(opened):
    assert opened("#nonsense").text("#counter") == "step 0 of 8"
    assert opened("#999").text("#counter") == "step 8 of 8"


def test_playing_runs_to_the_end_and_can_be_paused(opened):
    window = opened()
    window.click("#play")
    window.run_until_done("""
        const done = arguments[arguments.length - 1];
        const play = document.getElementById("play");
        const look = () => (play.textContent === "Play" ? done() : setTimeout(look, 20));
        look();
    """)
    assert window.text("#counter") == "step 8 of 8"
    window.press(" ")
    assert window.text("#play") == "Pause"
    window.press(" ")
    assert window.text("#play") == "Play"


def test_the_boundary_lies_where_the_score_is_nothing_between_orange_and_blue(opened):
    window = opened()
    row = window.run("""
        const canvas = document.getElementById("boundary");
        const brush = canvas.getContext("2d");
        return [...brush.getImageData(0, 20, canvas.width, 1).data];
    """)
    pixels = [row[4 * i : 4 * i + 3] for i in range(len(row) // 4)]
    orange, pale, line, paler, blue = (pixels[i] for i in (10, 200, 279, 360, 550))  # of 560
    assert orange[0] > orange[2] + 80
    assert pale[0] > pale[2] > orange[2]
    assert max(line) < 60
    assert blue[2] > blue[0] + 80
    assert paler[2] > paler[0] > blue[0]

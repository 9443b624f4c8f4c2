"""The step-through page in a real browser, driven by its buttons, keys, slider, mouse and links."""

import json
import math
import re
import struct

import pytest

import autograd
from autograd import Value, draw
from tests.browser import CHROMIUM, DRIVER, browser
from tests.drawings import HOSTILE

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs Debian's packages chromium and chromium-driver"
)


@pytest.fixture(scope="module")
def window():
    with browser() as opened:
        opened.resize(1300, 720)
        yield opened


@pytest.fixture
def opened(window, tmp_path):
    """A function that opens the page of a value, at a step; afterwards the page must not have complained."""

    def open_page(value, link="", **options):
        draw(value, **options).save(tmp_path / "page.html")
        window.open("about:blank")
        window.open(f"{(tmp_path / 'page.html').as_uri()}{link}")
        return window

    window.complaints()
    yield open_page
    assert window.complaints() == []


def neuron():
    """w·x + b through tanh; z = 0.5."""
    x, w, b = Value(2.0, "x"), Value(-3.0, "w"), Value(6.5, "b")
    product = w * x
    product.label = "p"
    z = product + b
    z.label = "z"
    out = z.tanh()
    out.label = "out"
    return out


STEPS = 6  # of the neuron: p, z and out, forwards and backwards
SLOPE = f"{1 - math.tanh(0.5) ** 2:.4g}"


def gradients(window):
    """The gradients that can be seen, by the name of their node."""
    return window.run("""
        return Object.fromEntries([...document.querySelectorAll(".node:not(.unknown)")]
          .filter((g) => g.querySelector("text.gradient"))
          .map((g) => [g.querySelector("text[font-weight]").textContent,
                       g.querySelector("text.gradient").textContent]))""")


def values(window):
    return window.run("""
        return Object.fromEntries([...document.querySelectorAll(".node:not(.later)")]
          .filter((g) => g.querySelector("text.value"))
          .map((g) => [g.querySelector("text[font-weight]").textContent,
                       g.querySelector("text.value").textContent]))""")


def test_an_output_that_was_not_swept_gives_nothing_where_its_slope_is_infinite(opened):
    x = Value(0.0, "x")
    z, y = x * 2, x.log()
    z.label, y.label = "z", "y"
    z.backward()
    window = opened([z, y], "#99")      # the last step
    assert gradients(window)["x"] == "2"


def test_a_page_begins_with_the_leaves_alone(opened):
    window = opened(neuron())
    assert window.text("#counter") == f"0 of {STEPS}"
    assert values(window) == {"x": "2", "w": "-3", "b": "6.5"}
    assert gradients(window) == {}
    assert "3 numbers, from which 3 operations follow" in window.text("#rule")


def test_forwards_one_node_at_a_time_with_its_rule_in_symbols_and_numbers(opened):
    window = opened(neuron())
    window.click("#next")
    assert values(window) == {"x": "2", "w": "-3", "b": "6.5", "p": "-6"}
    assert window.text("#now") == "Forwards: p"
    assert window.text("#rule") == "p = w·x = (-3)·2 = -6"
    window.click("#next")
    window.click("#next")
    assert values(window)["out"] == f"{math.tanh(0.5):.4g}"
    assert gradients(window) == {"out": "1"}
    assert window.text("#rule").startswith("out = tanh z = tanh(0.5) = ")


def test_backwards_one_node_at_a_time_with_gradients_flowing_in_along_edges(opened):
    window = opened(neuron(), link="#3")
    window.click("#next")
    assert window.text("#now") == "Backwards: out"
    assert f"∂out/∂z = 1 − out² = {SLOPE}" in window.text("#rule")
    assert f"z receives 1 · {SLOPE} = {SLOPE}, in all {SLOPE}" in window.text("#rule")
    assert gradients(window) == {"out": "1", "z": SLOPE}
    assert window.run("return document.querySelectorAll('path.flow.backwards').length") == 1
    window.click("#next")
    assert gradients(window) == {"out": "1", "z": SLOPE, "p": SLOPE, "b": SLOPE}
    window.click("#next")
    assert "∂p/∂w = x = 2" in window.text("#rule")
    assert "∂p/∂x = w = -3" in window.text("#rule")
    slope = 1 - math.tanh(0.5) ** 2
    assert gradients(window)["w"] == f"{2 * slope:.4g}"
    assert gradients(window)["x"] == f"{-3 * slope:.4g}"
    window.click("#next")
    assert window.text("#counter") == f"{STEPS} of {STEPS}"


def test_a_gradient_is_summed_up_use_by_use(opened):
    a = Value(3.0, "a")
    square = a * a
    square.label = "s"
    output = square + a  # 2a + 1
    window = opened(output)
    seen = []
    for step in (3, 4):
        window.open(window.run("return location.href").split("#")[0] + f"#{step}")
        seen.append(gradients(window).get("a"))
    assert seen == ["1", "7"]


def test_an_output_that_feeds_another_is_told_what_flows_into_it_and_what_is_its_own(opened):
    x = Value(2.0, "x")
    h = x * 3
    y = h * h
    h.label, y.label = "h", "y"
    y.backward()
    window = opened([h, y], link="#3")  # y backwards: dy/dh = 2h, half of it by each use
    assert re.findall(r"h receives 1 · 6 = 6, in all (\d+)", window.text("#rule")) == ["6", "12"]
    window.press("ArrowRight")
    assert "All its uses have been swept: its gradient is 12." in window.text("#rule")
    assert "x receives 12 · 3 = 36, in all 36" in window.text("#rule")
    x.grad = 0.0
    (y + h).backward()
    window = opened([h, y], link="#4")
    assert "It is an output, with 1 of its own, and all its uses have been swept" in window.text("#rule")
    assert "x receives 13 · 3 = 39, in all 39" in window.text("#rule")
    x.grad = h.grad = y.grad = 0.0
    h.backward()
    window = opened([h, y], link="#3")
    assert window.text("#rule").startswith("No sweep began here: its gradient is 0.")
    y.backward(math.nan)
    assert "It is the output: its gradient is nan." in opened(y, link="#3").text("#rule")


def test_buttons_step_back_and_jump_to_the_ends(opened):
    window = opened(neuron())
    seen = []
    for button in ("#last", "#back", "#first", "#back", "#next", "#last", "#next"):
        window.click(button)
        seen.append(int(window.text("#counter").split()[0]))
    assert seen == [6, 5, 0, 0, 1, 6, 6]
    assert gradients(window) == final(neuron())


def final(output):
    output.backward()
    found, todo = {}, [output]
    while todo:
        value = todo.pop()
        found[value.label] = f"{value.grad:.4g}"
        todo.extend(value.parents)
    return found


def test_keys_do_what_the_buttons_do(opened):
    window = opened(neuron())
    seen = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "Home"):
        window.press(key)
        seen.append(int(window.text("#counter").split()[0]))
    assert seen == [1, 2, 1, 6, 0]


def test_the_slider_goes_to_any_step(opened):
    window = opened(neuron())
    window.run("""const slider = document.getElementById("slider"); slider.focus(); slider.value = 5;
                  slider.dispatchEvent(new Event("input"))""")
    assert window.text("#counter") == "5 of 6"
    assert window.run("return location.hash") == "#5"
    assert window.text("#now") == "Backwards: z"


def test_play_goes_to_the_end_and_pause_stops_it(opened):
    window = opened(Value(2.0, "x").tanh())
    window.click("#play")
    assert window.text("#play") == "Pause"
    window.click("#play")
    assert (window.text("#play"), window.text("#counter")) == ("Play", "0 of 2")
    window.press(" ")
    assert window.run_until_done("""
        const done = arguments[0];
        new MutationObserver(() => {
          if (counter.textContent === "2 of 2") done(document.getElementById("play").textContent);
        }).observe(document.getElementById("counter"), { childList: true })""") in ("Play", "Pause")
    assert window.text("#counter") == "2 of 2"


def test_a_link_leads_to_its_step_and_the_address_follows(opened):
    window = opened(neuron(), link="#4")
    assert window.text("#now") == "Backwards: out"
    window.press("ArrowLeft")
    assert window.run("return location.hash") == "#3"
    window.run("location.hash = '#5'")
    assert window.run_until_done("requestAnimationFrame(() => arguments[0](counter.textContent))") == "5 of 6"
    for link in ("#nonsense", "#-1", "#999999999999"):
        window = opened(neuron(), link=link)
        assert window.text("#counter") in ("0 of 6", "6 of 6")


def test_pointing_at_a_node_tells_its_details(opened):
    window = opened(neuron(), link="#6")
    window.point('[data-node="0"]')
    details = window.text("#details")
    assert all(
        word in details for word in ("namew", "data-3", f"gradient{2 * (1 - math.tanh(0.5) ** 2):.4g}")
    )
    window = opened(neuron(), link="#0")
    window.point('[data-node="5"]')
    assert "not computed yet" in window.text("#details")


def test_nodes_are_chosen_and_read_out_by_keys(opened):
    window = opened(neuron())
    window.press("n", "n")
    assert "x" in window.run("return document.getElementById('said').textContent")
    assert window.run("return document.querySelector('.chosen').dataset.node") == "1"
    window.press("b", "b")
    assert window.run("return document.querySelector('.chosen').dataset.node") == "5"  # around the end


def test_search_finds_labels_and_goes_from_one_to_the_next(opened):
    values = [Value(float(i), f"weight {i}") for i in range(3)]
    window = opened(autograd.sum([*values, Value(1.0, "other")]))
    window.press("/")
    window.press(*"WEIGHT")
    assert window.text("#found") == "3 found"
    assert window.run("return document.querySelectorAll('.match').length") == 3
    window.press("Enter")
    window.press("Enter")
    assert window.text("#found") == "2 of 3"
    assert "weight 1" in window.text("#details")
    assert window.text("#counter").startswith("0 ")  # what is typed is no command
    window.press("Escape")
    assert window.run("return document.querySelectorAll('.match').length") == 0


def place(window):
    return window.run("""
        const { left, top, width } = document.querySelector('[data-node="0"]').getBoundingClientRect();
        return [left, top, width]""")


def settled(window):
    window.run_until_done("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")


def test_the_view_is_zoomed_and_moved(opened):
    window = opened(neuron())
    settled(window)
    left, top, width = place(window)
    window.press("+")
    settled(window)
    assert place(window)[2] == pytest.approx(1.25 * width, rel=0.01)
    window.press("-", "0")
    settled(window)
    assert place(window) == pytest.approx([left, top, width], abs=1)
    window.drag((300, 500), (350, 460))
    settled(window)
    assert place(window) == pytest.approx([left + 50, top - 40, width], abs=1)
    window.run("""document.getElementById("graph").dispatchEvent(
        new WheelEvent("wheel", { deltaY: -200, clientX: 400, clientY: 300, cancelable: true }))""")
    settled(window)
    assert place(window)[2] == pytest.approx(width * math.exp(0.3), rel=0.01)


def test_the_view_is_moved_by_shift_and_arrows_and_no_step_is_taken(opened):
    window = opened(neuron())
    settled(window)
    left, top, width = place(window)
    for key, dx, dy in (("Left", 80, 0), ("Up", 80, 80), ("Right", 0, 80), ("Down", 0, 0)):
        window.run(
            """document.dispatchEvent(new KeyboardEvent("keydown", { key: arguments[0], shiftKey: true }))""",
            f"Arrow{key}",
        )
        settled(window)
        assert place(window) == pytest.approx([left + dx, top + dy, width], abs=1)
    assert window.text("#counter").startswith("0 ")


@pytest.mark.parametrize("width", [320, 380, 500, 700, 1000])
def test_nothing_of_the_page_is_beyond_the_edge_of_a_narrow_window(width, opened):
    window = opened(neuron())
    try:
        window.view(width, 640)
        settled(window)
        assert window.run("return document.documentElement.scrollWidth") == width
        outside = """return [...document.querySelectorAll("button, input, output, aside, #graph")]
            .filter((e) => { const { left, right } = e.getBoundingClientRect();
              return left < 0 || right > innerWidth; })
            .map((e) => e.id || e.tagName)"""
        assert window.run(outside) == []
        assert window.run("return document.getElementById('graph').getBoundingClientRect().height") > 100
    finally:
        window.view(1300, 720)


def test_a_leaf_alone_is_told_in_good_grammar(opened):
    assert opened(Value(2.0, "x")).text("#rule") == "1 number."
    assert opened(Value(2.0, "x").tanh()).text("#rule") == "1 number, from which 1 operation follows."


def test_the_current_node_is_not_faint_where_it_lies_aside_of_the_highlighted_paths(opened):
    x = Value(2.0, "x")
    aside = Value(3.0, "y").tanh()
    window = opened(x.tanh() * aside, highlight=x, link="#1")
    opacity = "return getComputedStyle(document.querySelector('.now')).opacity"
    seen = []
    for _ in range(3):
        seen.append(window.run(opacity))
        window.press("ArrowRight")
    assert seen == ["1"] * 3


def test_light_and_dark_follow_the_reader_and_the_button(opened):
    paper = "return getComputedStyle(document.body).backgroundColor"
    window = opened(neuron())
    try:
        window.prefer(color_scheme="dark")
        dark = window.run(paper)
        window.prefer(color_scheme="light")
        light = window.run(paper)
        assert (light, dark) == ("rgb(255, 255, 255)", "rgb(15, 23, 42)")
        window.click("#theme")
        assert window.run(paper) == dark
        window.press("d")
        assert window.run(paper) == light
    finally:
        window.prefer()


def test_all_of_the_page_is_reached_by_the_keyboard_and_told_to_a_screen_reader(opened):
    window = opened(neuron())
    reached = []
    for _ in range(11):
        window.press("Tab")
        reached.append(window.run("return document.activeElement.id"))
    assert reached == [
        "first",
        "back",
        "play",
        "next",
        "last",
        "slider",
        "search",
        "out",
        "in",
        "fit",
        "theme",
    ]
    assert window.run("return document.getElementById('rule').getAttribute('aria-live')") == "polite"
    names = window.run("""
        return [...document.querySelectorAll("button, input, svg")]
          .map((e) => e.getAttribute("aria-label") || e.textContent)""")
    assert all(names)


def test_numbers_read_as_pythons(opened):
    """The script's numbers are those that Python's format writes."""
    rng = struct.Struct("<d")
    numbers = [rng.unpack((i * 0x9E3779B97F4A7C15 % 2**64).to_bytes(8, "little"))[0] for i in range(1, 200)]
    numbers += [0.0, -0.0, 1.0, 9999.5, 99995.0, 1e-4, 9.9996e-5, 0.1, 123456.0, -2.5, 1e22, 5e-324, 1e16]
    numbers += [12345.0, 12355.0, -12345.0, 1.5, 0.5, 0.00012345, 2.0**60, 1e5, 999950.0]
    numbers = [x for x in numbers if math.isfinite(x)]
    for precision in (1, 4, 17):
        root = autograd.sum([Value(x, f"v{i}") for i, x in enumerate(numbers)])
        window = opened(root, precision=precision, link="#1")
        window.run("document.getElementById('out').click()")
        shown = window.run(
            """
            const shown = [];
            for (let i = 0; i < arguments[0]; i += 1) {
              document.dispatchEvent(new KeyboardEvent("keydown", { key: "n" }));
              const [, data] = [...document.querySelectorAll("#details dt")]
                .map((dt) => [dt.textContent, dt.nextSibling.textContent]).find(([dt]) => dt === "data");
              shown.push(data);
            }
            return shown""",
            len(numbers),
        )
        assert shown == [f"{x:.{precision}g}" for x in numbers]


def test_no_label_reaches_the_page_as_anything_but_text(opened):
    values = [Value(1.0, label) for label in HOSTILE]
    output = autograd.sum(values)
    output.label = HOSTILE[6]
    window = opened(output, link="#2")
    for _ in HOSTILE:
        window.press("n")
    counts = window.run("""
        return ["script", "a", "img", "iframe", "[onload]", "[href]"]
          .map((s) => document.querySelectorAll(s).length)""")
    assert counts == [2, 0, 0, 0, 0, 0]
    assert window.run("return document.getElementById('rule').children.length") == 1 + 2 * len(HOSTILE)


def test_the_policy_stops_scripts_and_requests_that_are_not_the_pages(window, tmp_path):
    draw(neuron()).save(tmp_path / "page.html")
    window.open((tmp_path / "page.html").as_uri())
    window.complaints()
    assert window.run("""
        const script = document.createElement("script");
        script.textContent = "window.intruder = true";
        document.body.append(script);
        return window.intruder === undefined""")
    assert (
        window.run_until_done("""
        fetch("data:,x").then(() => arguments[0]("fetched"), () => arguments[0]("refused"))""")
        == "refused"
    )
    assert sum("Content Security Policy" in line for line in window.complaints()) >= 2


def test_a_drawing_of_modules_is_looked_around_in(opened):
    w = Value(2.0, "l0.n0.w0")
    window = opened((w * Value(3.0, "x")).tanh(), level="layers")
    assert window.run("return [...document.querySelectorAll('.steps button')].every((b) => b.disabled)")
    window.press("n", "n")
    assert "l0" in window.text("#details")


def test_a_drawing_of_modules_has_the_colours_of_its_legend(opened):
    w = Value(2.0, "l0.n0.w0")
    y = (w * Value(3.0, "x")).tanh() * Value(2.0, "l1.n0.w0")
    y.backward()
    window = opened(y, level="layers")
    window.prefer(color_scheme="light")
    fills = window.run("""
        const fill = (element) => getComputedStyle(element).fill;
        return [[...document.querySelectorAll(".node > rect:first-of-type")].map(fill),
                [...document.querySelectorAll(".legend rect")].map(fill)]""")
    assert set(fills[0]) == set(fills[1])
    assert "rgb(255, 255, 255)" not in fills[0]
    window.prefer()


def test_a_drawing_longer_than_the_window_begins_at_its_edge(opened):
    x = Value(1.0, "x")
    for _ in range(60):
        x = x.tanh()
    window = opened(x)
    settled(window)
    transform = window.run("return document.getElementById('world').getAttribute('transform')")
    left, top = (float(number) for number in re.search(r"translate\((\S+) (\S+)\)", transform).groups())
    assert left == 0  # nothing beside the drawing takes room,
    assert top > 0  # and what is lower than the window stands in its middle


def drawn_size(window, node):
    """The width and height of a node on the screen."""
    return window.run(
        """const { width, height } = document.querySelector(arguments[0]).getBoundingClientRect();
           return [width, height]""",
        node,
    )


def test_five_thousand_nodes_are_stepped_through_and_only_what_is_seen_is_in_the_page(opened):
    w = Value(0.9999, "w")
    value = Value(1.0, "start")
    for i in range(2500):
        value = value * w + 0.0001
        value.label = f"step {i}"
    window = opened(value, link="#5000")
    window.press("ArrowRight", "ArrowRight", "ArrowLeft")
    settled(window)
    assert window.text("#counter") == "5001 of 10000"
    assert 0 < window.run("return document.querySelectorAll('.node').length") < 100
    window.press("End")
    value.backward()
    window.press("/", *"start", "Enter")
    settled(window)
    assert gradients(window)["start"] == f"{value.grad and _leaf(value, 'start').grad:.4g}"
    window.press("Escape", "0")
    settled(window)
    assert drawn_size(window, "[data-node]")[0] < 5  # all of it is seen, and no node of it
    window.press("/", *"start", "Enter")
    settled(window)
    assert min(drawn_size(window, ".match")) > 15
    window.press("Escape", "0", "ArrowLeft")
    settled(window)
    assert min(drawn_size(window, ".now")) > 15
    window.press("0")
    settled(window)
    assert window.run("return document.querySelectorAll('.node').length") == len(
        json.loads(draw(value).json)["boxes"]
    )


def test_a_lifted_program_is_looked_around_in_formula_by_formula(opened):
    window = opened(neuron(), level="program")
    assert window.text("#now") == "A drawing of a lifted program"
    assert window.run("return document.getElementById('next').disabled")
    window.press("n", "n", "n", "n")
    assert "formulaw * x + bshapescalaroperandsw, x, b" in window.text("#details")


def _leaf(value, label):
    while value.label != label:
        value = value.parents[0]
    return value

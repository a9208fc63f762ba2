"""The page as people see it in a real Chromium: what moves, what is too pale, what has no name."""

from tests.app.browser_steps import PHONE, draw_by_mouse, expect, keep, opposite_looks, say, tap


def test_the_answer_stands_above_the_fold_and_a_box_can_be_tapped(visit):
    page = visit(PHONE)
    page.get_by_role("tab", name="Photo").click()
    page.get_by_text("a year").click()
    expect(page, "2026")
    assert page.locator("code:visible", has_text="2026").first.bounding_box()["y"] < 700
    page.get_by_role("button", name="digit 3: 2").click()
    inputs = "[...document.querySelectorAll('[data-testid=stSelectbox] input')]"
    page.wait_for_function(f"{inputs}.some(input => input.value.startsWith('digit 3: 2'))")


@opposite_looks
def test_the_answer_does_not_move_the_pad(visit, look):
    page = visit(*look)
    pad = page.get_by_role("img", name="Drawing pad")
    before = pad.bounding_box()
    draw_by_mouse(page, "7")
    expect(page, "7")
    assert pad.bounding_box() == before
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("Draw a digit").wait_for()
    assert pad.bounding_box() == before


# The page replaces the bars with every answer, so both places are taken in the same instant.
FROM_PAD_TO_BARS = """pad => {
    const top = element => element.getBoundingClientRect().top;
    const bars = [...document.querySelectorAll(".bars")].find(each => each.offsetParent);
    return bars && top(bars) - top(pad);
}"""


@opposite_looks
def test_what_stands_below_the_answer_does_not_move_with_it(visit, look):
    page = visit(*look)
    places = []
    for shape, words in (("7", "sure"), ("star", "This does not look like a digit")):
        draw_by_mouse(page, shape)
        page.get_by_text(words).filter(visible=True).first.wait_for()
        pad = page.get_by_role("img", name="Drawing pad").element_handle()
        places.append(page.wait_for_function(FROM_PAD_TO_BARS, arg=pad).json_value())
        page.get_by_role("button", name="Clear").click()
        page.get_by_text("Draw a digit").wait_for()
    assert places[0] == places[1]


# All texts whose contrast is below 4.5:1, or 3:1 if they are large. A slider's value stands above
# the thumb that holds it, so its ground is not known.
PALE_TEXTS = """() => {
  const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const parsed = {};
  const parse = colour => {
    if (colour in parsed) return parsed[colour];
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return parsed[colour] = [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [R, G, B]) =>
    [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const luminance = colour => {
    const [r, g, b] = colour.slice(0, 3).map(value => {
      const share = value / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const parent = node => node.parentElement ?? node.getRootNode().host;
  const pale = [];
  const skipped = ':disabled, [data-testid=stSliderThumbValue], style, script';
  const look = root => {
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) look(element.shadowRoot);
      const text = [...element.childNodes].filter(node => node.nodeType === 3)
        .map(node => node.data.trim()).join('');
      const style = getComputedStyle(element);
      const isShown = element.getClientRects().length
        && element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
      if (!text || !isShown || element.closest(skipped)) continue;
      let opacity = 1;
      const grounds = [];
      for (let node = element; node; node = parent(node)) {
        opacity *= getComputedStyle(node).opacity;
        grounds.unshift(parse(getComputedStyle(node).backgroundColor));
      }
      const ground = grounds.reduce((below, above) => over(above, below), [255, 255, 255, 1]);
      const [r, g, b, a] = parse(style.color);
      const ink = over([r, g, b, a * opacity], ground);
      const [dark, bright] = [luminance(ink), luminance(ground)].sort((x, y) => x - y);
      const ratio = (bright + 0.05) / (dark + 0.05);
      const size = parseFloat(style.fontSize);
      const isLarge = size >= 24 || size >= 18.6 && style.fontWeight >= 700;
      if (ratio < (isLarge ? 3 : 4.5)) pale.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}`);
    }
  };
  look(document);
  return pale;
}"""


CONTROLS = {"button", "checkbox", "combobox", "image", "img", "link", "listbox", "radio"}
CONTROLS |= {"slider", "spinbutton", "switch", "tab", "textbox"}


def nameless_controls(page) -> list[str]:
    """The controls and pictures of which a screen reader could not say what they are."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    seen = [node for node in nodes if not node["ignored"]]
    controls = [node for node in seen if node["role"]["value"] in CONTROLS]
    nameless = [node for node in controls if not node.get("name", {}).get("value", "").strip()]
    return [f"{node['role']['value']} without a name" for node in nameless]


# Ends when nothing in the page has changed for a quarter of a second.
UNTIL_STILL = """() => new Promise(done => {
  const end = () => { observer.disconnect(); done(); };
  const restart = () => { clearTimeout(timer); timer = setTimeout(end, 250); };
  const observer = new MutationObserver(restart);
  let timer = setTimeout(end, 250);
  const all = { attributes: true, characterData: true, childList: true, subtree: true };
  observer.observe(document, all);
})"""


def list_faults(page, state: str) -> list[str]:
    """What is too pale, and what has no name, of all that is shown now."""
    page.evaluate(UNTIL_STILL)
    page.locator("[data-test-script-state=notRunning]").wait_for()
    page.evaluate(UNTIL_STILL)
    faults = [*page.evaluate(PALE_TEXTS), *nameless_controls(page)]
    return [f"{state}: {fault}" for fault in faults]


@opposite_looks
def test_every_text_stands_out_and_every_control_has_a_name(visit, look):
    page = visit(*look)
    faults = list_faults(page, "empty pad")
    draw_by_mouse(page, "7")
    expect(page, "7")
    tap(page, page.get_by_text("How did it get there?"))
    page.get_by_alt_text("Layer 1").wait_for()
    faults += list_faults(page, "inside")
    tap(page, page.get_by_role("button", name="Learn: Pixels"))
    page.get_by_role("dialog").wait_for()
    faults += list_faults(page, "chapter")
    page.keyboard.press("Escape")
    tap(page, page.get_by_text("Model: Best"))
    page.get_by_role("radio", name="Small").wait_for()
    faults += list_faults(page, "models")
    page.keyboard.press("Escape")
    tap(page, page.get_by_role("tab", name="Photo"))
    tap(page, page.get_by_text("no digit", exact=True))
    page.get_by_text("This does not look like a digit").wait_for()
    faults += list_faults(page, "no digit")
    tap(page, page.get_by_text("a page", exact=True))
    expect(page, "979")
    faults += list_faults(page, "a page")
    keep(page, 20)
    say(page, 1, "9")
    say(page, 2, "none")
    faults += list_faults(page, "check")
    tap(page, page.get_by_role("tab", name="Train"))
    tap(page, page.get_by_role("button", name="Start"))
    page.get_by_role("button", name="Stop").click()
    faults += list_faults(page, "train")
    tap(page, page.get_by_role("tab", name="How good is it?"))
    page.get_by_text("Its most confident mistakes").wait_for()
    faults += list_faults(page, "quality")
    assert faults == []

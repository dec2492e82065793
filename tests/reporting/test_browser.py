"""The site in a real Chromium without a window, opened from its folder."""

import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageStat
from reporting.conftest import SHADE, SQUARE

from centigan.layout import Layout
from centigan.reporting.site import STATIC, write_report
from centigan.reporting.site.classes import SORTS, ListedClass
from centigan.reporting.site.pages import environment
from centigan.settings import Settings
from centigan.settings.figures import FiguresSettings

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = ("headless", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking")
PAGES = ("index.html", "classes.html", "classes/a.html", "figures/accuracy_by_class.html")
PATIENCE = 20  # seconds
ARROW_LEFT, ARROW_UP, ARROW_RIGHT, ARROW_DOWN = "\ue012", "\ue013", "\ue014", "\ue015"
ENTER, END, HOME = "\ue007", "\ue010", "\ue011"

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no chromium and chromedriver here (apt-get install chromium-driver)"
)


@pytest.fixture(scope="module")
def browser() -> Iterator["Chrome"]:
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, "window-size=1280,900"):
        options.add_argument(f"--{flag}")
    chrome = selenium.Chrome(options, selenium.ChromeService(DRIVER))
    yield chrome
    chrome.quit()


@pytest.fixture(scope="module")
def kept() -> dict[str, Path]:
    return {}


@pytest.fixture
def site(kept: dict[str, Path], request: pytest.FixtureRequest, settings: Settings) -> Path:
    """A site, made once, since no test changes it; its figures have tests of their own."""
    if "site" not in kept:
        layout: Layout = request.getfixturevalue("finished")
        layout.figure("gallery").parent.mkdir()
        drawing = (
            '<svg xmlns="http://www.w3.org/2000/svg" width="900" height="90">'
            '<rect width="900" height="90" style="fill: #ffffff"/></svg>'
        )
        for name in FiguresSettings.model_fields:
            layout.figure(name).write_text(drawing)
            Image.new("RGB", (900, 90), "white").save(layout.figure(name, "png"))
        write_report(layout, settings, "abc123")
        kept["site"] = layout.report.parent
    return kept["site"]


@pytest.fixture
def thousand(tmp_path: Path, settings: Settings) -> Path:
    """A list of a thousand classes, whose images are all the same."""
    numbers = {sort.column: 0.5 for sort in SORTS} | {"nearest_l1_held_out": 1.0}
    listed = [
        ListedClass(f"n{n:08d}", f"thing {n}", f"thing {n}", f"n{n:08d}", "00", 1, 1, numbers)
        for n in range(1000)
    ]
    shutil.copytree(STATIC, tmp_path / "list")
    page = environment(settings, has_classes=True).get_template("classes.html.j2")
    path = tmp_path / "list/classes.html"
    path.write_text(page.render(root="", classes=listed, sorts=SORTS))
    return path


def wait(browser: "Chrome", condition: Callable[["Chrome"], Any]) -> None:
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(browser, PATIENCE, poll_frequency=0.05).until(condition)


def shown(browser: "Chrome") -> list[str]:
    """Names of the classes in sight, in their order."""
    return browser.execute_script(
        "return [...document.querySelectorAll('#classes .card:not([hidden]) b')].map((b) => b.textContent)"
    )


def press(browser: "Chrome", key: str) -> None:
    browser.switch_to.active_element.send_keys(key)


def choose(browser: "Chrome", sort: str) -> None:
    from selenium.webdriver.support.select import Select

    Select(browser.find_element("id", "sort")).select_by_value(sort)


def test_a_class_is_found_by_its_words_and_opened(browser: "Chrome", site: Path) -> None:
    browser.get((site / "classes.html").as_uri())
    assert shown(browser) == ["a", "b", "c", "d"]
    press(browser, "/")
    press(browser, "LETTER c")
    assert shown(browser) == ["c"]
    assert browser.find_element("id", "count").text == "1 of 4 classes"
    press(browser, ENTER)
    wait(browser, lambda b: b.current_url.endswith("/classes/c.html"))
    assert browser.find_element("tag name", "h1").text == "c"
    browser.back()
    wait(browser, lambda b: "classes.html#q=LETTER+c" in b.current_url)
    assert shown(browser) == ["c"]


def test_words_of_no_class_say_so(browser: "Chrome", site: Path) -> None:
    browser.get((site / "classes.html").as_uri() + "#q=zebra")
    assert shown(browser) == []
    browser.find_element("id", "clear").click()
    assert shown(browser) == ["a", "b", "c", "d"]


def test_classes_are_sorted_by_accuracy_and_the_address_keeps_it(browser: "Chrome", site: Path) -> None:
    """Of a, b, c, d nine, six, seven and no sample of ten are named rightly."""
    address = (site / "classes.html").as_uri()
    browser.get(address)
    choose(browser, "accuracy_generated")
    assert shown(browser) == ["a", "c", "b", "d"]
    browser.find_element("id", "order").click()
    assert shown(browser) == ["d", "b", "c", "a"]
    kept = browser.current_url
    assert kept == f"{address}#sort=accuracy_generated&order=asc"
    browser.get("about:blank")
    browser.get(kept)
    assert shown(browser) == ["d", "b", "c", "a"]
    choose(browser, "")
    assert shown(browser) == ["a", "b", "c", "d"]
    assert browser.current_url == address


def test_arrow_keys_step_through_classes_and_figures(browser: "Chrome", site: Path) -> None:
    browser.get((site / "classes/b.html").as_uri())
    press(browser, ARROW_RIGHT)
    wait(browser, lambda b: b.current_url.endswith("/c.html"))
    press(browser, ARROW_LEFT)
    wait(browser, lambda b: b.current_url.endswith("/b.html"))
    first, second = list(FiguresSettings.model_fields)[:2]
    browser.get((site / f"figures/{first}.html").as_uri())
    press(browser, ARROW_RIGHT)
    wait(browser, lambda b: b.current_url.endswith(f"/{second}.html"))


def test_arrow_keys_within_the_search_stay_there(browser: "Chrome", site: Path) -> None:
    browser.get((site / "classes.html").as_uri())
    press(browser, "/")
    press(browser, ARROW_RIGHT)
    assert browser.current_url == (site / "classes.html").as_uri()


@pytest.fixture
def square(browser: "Chrome", site: Path) -> "WebElement":
    """The place between four samples, on the page of a class; it is where arrow keys go."""
    browser.get((site / "classes/b.html").as_uri())
    place = browser.find_element("css selector", ".square [role=slider]")
    wait(browser, lambda _: place.is_displayed())
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", place)
    return place


def cell(place: "WebElement") -> tuple[int, int]:
    """Column and row of the image that is shown large, by its colour."""
    canvas = place.find_element("tag name", "canvas")
    with Image.open(io.BytesIO(canvas.screenshot_as_png)) as opened:
        red, green, _ = opened.convert("RGB").resize((8, 8), Image.Resampling.BOX).getpixel((5, 1))
    return round(red / SHADE), round(green / SHADE)


def at(element: "WebElement", column: float, row: float) -> dict[str, float]:
    """A point of the window, in the middle of a cell; some may lie beside the element."""
    box = element.rect
    x, y = (box[side] * (place + 0.5) / SQUARE for side, place in (("width", column), ("height", row)))
    top = element.parent.execute_script("return arguments[0].getBoundingClientRect().top", element)
    return {"x": box["x"] + x, "y": top + y}


def test_the_square_begins_in_its_middle_and_says_where_that_is(square: "WebElement") -> None:
    assert cell(square) == (2, 2)
    assert square.get_attribute("aria-valuetext") == "Column 3, row 3 of 4"
    assert square.accessible_name == "Place between the four samples"
    assert (square.get_attribute("aria-valuenow"), square.get_attribute("aria-valuemax")) == ("11", "16")


def test_the_square_follows_the_pointer_over_either_picture(browser: "Chrome", square: "WebElement") -> None:
    surfaces = browser.find_elements("css selector", ".square canvas, .square img")
    assert len(surfaces) == 2
    for surface in surfaces:
        for column, row in ((0, 0), (3, 1), (1, 2)):
            browser.execute_cdp_cmd(
                "Input.dispatchMouseEvent", {"type": "mouseMoved", **at(surface, column, row)}
            )
            wait(browser, lambda _, found=(column, row): cell(square) == found)


def test_the_square_follows_arrow_keys_and_the_page_stays(browser: "Chrome", square: "WebElement") -> None:
    square.send_keys(HOME)
    assert (cell(square), square.get_attribute("aria-valuetext")) == ((0, 0), "Sample A")
    scrolled = browser.execute_script("return scrollY")
    for key, found in (
        (ARROW_RIGHT, (1, 0)),
        (ARROW_DOWN, (1, 1)),
        (ARROW_LEFT, (0, 1)),
        (ARROW_LEFT, (0, 1)),
    ):
        square.send_keys(key)
        assert cell(square) == found
    square.send_keys(END, ARROW_UP, ARROW_DOWN, ARROW_DOWN)
    assert (cell(square), square.get_attribute("aria-valuetext")) == ((3, 3), "Sample D")
    assert browser.execute_script("return scrollY") == scrolled
    assert browser.current_url.endswith("/b.html")
    assert square.value_of_css_property("outline-style") == "solid"  # where keys go is seen


def test_the_square_follows_a_finger_also_beyond_its_edge_and_the_page_stays(
    browser: "Chrome", square: "WebElement"
) -> None:
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    scrolled = browser.execute_script("return scrollY")
    canvas = square.find_element("tag name", "canvas")
    try:
        for kind, column, row in (("touchStart", 0, 3), ("touchMove", 1, 2), ("touchMove", 1, -1)):
            point = {"type": kind, "touchPoints": [at(canvas, column, row)]}
            browser.execute_cdp_cmd("Input.dispatchTouchEvent", point)
            found = column, max(row, 0)
            wait(browser, lambda _, found=found: cell(square) == found)
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    finally:
        browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
    assert cell(square) == (1, 0)
    assert browser.execute_script("return scrollY") == scrolled


def test_every_page_is_drawn_without_complaint(browser: "Chrome", site: Path) -> None:
    for path in sorted(site.rglob("*.html")):
        browser.get(path.as_uri())
        broken = "return [...document.images].filter((i) => i.complete && !i.naturalWidth).map((i) => i.src)"
        assert browser.execute_script(broken) == []
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("page", PAGES)
def test_a_phone_scrolls_no_page_sideways(page: str, browser: "Chrome", site: Path) -> None:
    phone = {"width": 375, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        browser.get((site / page).as_uri())
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 375
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_dark_pages_are_dark_and_readable(browser: "Chrome", site: Path) -> None:
    colors = """return ["backgroundColor", "color"].map((name) =>
        getComputedStyle(document.body)[name].match(/\\d+/g).map(Number).reduce((a, b) => a + b) / 3)"""
    for scheme, dark in (("dark", True), ("light", False)):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        browser.get((site / "index.html").as_uri())
        paper, ink = browser.execute_script(colors)
        assert (paper < ink) == dark
        assert abs(paper - ink) > 150


@pytest.mark.parametrize("page", ["index.html", "figures/accuracy_by_class.html"])
def test_figures_are_dark_on_a_dark_screen_alone_and_light_on_paper(
    page: str, browser: "Chrome", site: Path
) -> None:
    for scheme, media, dark in (("dark", "", True), ("light", "", False), ("dark", "print", False)):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features, "media": media})
        browser.get((site / page).as_uri())
        figure = browser.find_element("css selector", ".paper img")
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", figure)
        wait(browser, lambda b, figure=figure: b.execute_script("return arguments[0].complete", figure))
        with Image.open(io.BytesIO(figure.screenshot_as_png)) as picture:
            light = ImageStat.Stat(picture.convert("L")).median[0]
        assert (light < 60) if dark else (light > 240), (scheme, media)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [], "media": ""})


def test_on_a_phone_the_comparison_reads_as_cards(browser: "Chrome", site: Path) -> None:
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        browser.get((site / "index.html").as_uri())
        lefts = """return [...document.querySelectorAll(".comparison tr")[1].children].map(
            (cell) => cell.getBoundingClientRect()).map(({ left, right, top }) => [left, right, top])"""
        cells = browser.execute_script(lefts)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert len({left for left, _, _ in cells}) == 1
    assert [top for _, _, top in cells] == sorted({top for _, _, top in cells})
    assert all(right <= 390 for _, right, _ in cells)


def test_without_javascript_all_is_there_but_search_and_what_follows_the_pointer(
    browser: "Chrome", site: Path
) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get((site / "classes.html").as_uri())
        assert len(browser.find_elements("css selector", ".card")) == 4
        assert not browser.find_element("id", "tools").is_displayed()
        assert "need JavaScript" in browser.find_element("css selector", "noscript .note").text
        browser.get((site / "classes/b.html").as_uri())
        sheet, stage = (browser.find_element("css selector", f".square {part}") for part in ("img", ".stage"))
        assert sheet.is_displayed()
        assert not stage.is_displayed()
        assert [mark.text for mark in browser.find_elements("css selector", ".square .corner")][4:] == [
            *"ABCD"
        ]
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_thousand_classes_load_only_the_images_in_sight(browser: "Chrome", thousand: Path) -> None:
    browser.get(thousand.as_uri())
    assert len(shown(browser)) == 1000
    begun = "return [...document.images].filter((image) => image.complete).length"
    assert 0 < browser.execute_script(begun) < 200
    press(browser, "/")
    press(browser, "00000999")
    assert shown(browser) == ["thing 999"]

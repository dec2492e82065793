"""What a person sees in MLflow's pages of two runs of an experiment, at two learning rates, in a browser.

    CENTIGAN_SCREENSHOTS=docs/images pytest tests/tracking/test_ui.py

draws the pictures of the docs.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from copied import ROOT, copy_project
from mlflow import MlflowClient
from mlflow_server import Server
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait
from small import TINY, write_experiment

BIN = Path(sys.executable).parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
MENUS = 202  # pixels at the left of MLflow's pages
pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and its driver"),
]


@pytest.fixture
def server(migrated: Path, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "server", migrated)
    server.start()
    yield server
    server.end()


@pytest.fixture
def browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for word in ("headless", "no-sandbox", "disable-gpu", "window-size=1400,1150"):
        options.add_argument(f"--{word}")
    chrome = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield chrome
    chrome.quit()


def run_pipeline(project: Path, generator_lr: float, uri: str) -> None:
    longer = TINY.replace("iterations: 8, log_every: 2", "iterations: 60, log_every: 5")
    changed = longer.replace("width: 0.1", f"width: 0.2, generator_lr: {generator_lr:.1e}")
    write_experiment(project, "small/tiny", changed)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SNAKEMAKE_")}
    environment |= {"XDG_CACHE_HOME": str(project / ".cache"), "MPLCONFIGDIR": str(project / ".cache")}
    environment |= {"MLFLOW_TRACKING_URI": uri}
    command = [BIN / "snakemake", "--cores", "2", "--config", "experiment=small/tiny"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-5000:]


def look(browser: webdriver.Chrome, page: str, *words: str) -> None:
    """Open a page of MLflow's and wait until it shows these words; its assistant is shut."""
    browser.get("about:blank")  # else only the part after # changes, and nothing is loaded
    browser.get(page)
    body = WebDriverWait(browser, 60)
    body.until(lambda b: all(word in b.find_element(By.TAG_NAME, "body").text for word in words))
    for button in browser.find_elements(By.CSS_SELECTOR, "button[aria-label=Close]"):
        button.click()
    time.sleep(1)  # what is still being drawn has no words


def picture(browser: webdriver.Chrome, name: str, height: int) -> None:
    """Keep what the browser shows, without MLflow's menus, if pictures are asked for."""
    shown = Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")
    shown = shown.crop((MENUS, 0, shown.width, height))
    assert len(shown.getcolors(2**24) or ()) > 100  # something is drawn
    if place := os.environ.get("CENTIGAN_SCREENSHOTS"):
        shown.quantize(128).save(ROOT / place / name, optimize=True)


def see_the_list(browser: webdriver.Chrome, uri: str, experiment: str) -> None:
    """The list says what was run and which is better, before anything is clicked."""
    page = f"{uri}/#/experiments/{experiment}/runs?workflowType=machine_learning"
    look(
        browser, page, "generator_lr=2e-4", "generator_lr=1e-3", "2 revisions, the best first: generator_lr="
    )
    note = browser.find_element(By.XPATH, "//*[contains(text(), '2 revisions, the best')]")
    buttons = note.find_elements(By.XPATH, "./following::button")
    buttons[1].click()  # the first one edits, this one unfolds
    WebDriverWait(browser, 20).until(lambda b: "real images" in b.find_element(By.TAG_NAME, "body").text)
    for row in (0, 3):  # two splits come between
        browser.find_element(By.CSS_SELECTOR, f".ag-row[row-index='{row}'] button").click()
        time.sleep(1)
    assert "split 01, generator_lr=1e-3" in browser.find_element(By.TAG_NAME, "body").text
    picture(browser, "mlflow_runs.png", 680)


def see_the_report(browser: webdriver.Chrome, uri: str, experiment: str, run: str) -> None:
    """The artifact view shows the report with its style and all its pictures."""
    page = f"{uri}/#/experiments/{experiment}/runs/{run}/artifacts/report.html?workflowType=machine_learning"
    look(browser, page, "report.html", "report.zip")
    frame = WebDriverWait(browser, 60).until(
        lambda b: b.find_element(By.CSS_SELECTOR, "iframe.mlflow-html-iframe")
    )
    browser.switch_to.frame(frame)
    numbers = WebDriverWait(browser, 60).until(lambda b: b.find_element(By.CLASS_NAME, "numbers"))
    assert numbers.value_of_css_property("display") == "grid"
    browser.execute_script("for (const image of document.images) image.loading = 'eager'")
    script = "return [...document.images].filter(i => !(i.complete && i.naturalWidth)).length"
    WebDriverWait(browser, 60).until(lambda b: b.execute_script(script) == 0)
    browser.find_element(By.CSS_SELECTOR, "a[href='#figure-gallery']").click()
    title = "return document.querySelector('#figure-gallery h2').getBoundingClientRect().top"
    WebDriverWait(browser, 20).until(lambda b: 0 <= b.execute_script(title) < 200)  # its links lead within it
    browser.execute_script("scrollTo(0, 0)")
    browser.switch_to.default_content()
    picture(browser, "mlflow_report.png", 960)


def see_the_comparison(browser: webdriver.Chrome, uri: str, experiment: str, runs: list[str]) -> None:
    chosen = f"runs={quote(json.dumps(runs))}&experiments={quote(json.dumps([experiment]))}"
    page = f"{uri}/#/compare-runs?{chosen}&workflowType=machine_learning"
    names = ("generator_lr=2e-4", "generator_lr=1e-3", "model.generator_lr")
    look(browser, page, "Comparing 2 Runs from 1 Experiment", *names)
    picture(browser, "mlflow_compare.png", 940)


def test_a_minute_in_mlflow_tells_what_was_run_and_which_is_better(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    copy_project(project)
    for generator_lr in (2e-4, 1e-3):
        run_pipeline(project, generator_lr, server.uri)
    client = MlflowClient(server.uri)
    experiment = client.get_experiment_by_name("centigan/small/tiny").experiment_id
    found = client.search_runs([experiment], "tags.`centigan.settings` LIKE '%'")
    parents = {run.info.run_name: run.info.run_id for run in found}
    assert parents.keys() == {"generator_lr=2e-4", "generator_lr=1e-3"}

    see_the_list(browser, server.uri, experiment)
    see_the_report(browser, server.uri, experiment, parents["generator_lr=2e-4"])
    see_the_comparison(browser, server.uri, experiment, list(parents.values()))

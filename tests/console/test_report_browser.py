"""The report in a real browser: it opens without a network, draws its plots, and can be read in many ways."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).parents[2]
HOSTILE = "</td></script><script>window.pwned=1</script><img src=x onerror=window.pwned=1>"

#: Seconds that a page may take on a busy machine.
PATIENCE = 60


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with customers of the tutorial, deduped by rules in `out`, and matched in `matched`, with truth."""
    from pehchan.console.command import main

    folder = tmp_path_factory.mktemp("browser")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        command = [
            sys.executable,
            ROOT / "tutorial/customers.py",
            "--records",
            "300",
            "--seed",
            "3",
            "--header",
        ]
        subprocess.run([*command, "--output", "customers.csv", "--truth", "truth.csv"], check=True)
        with open("hostile.csv", "w", encoding="utf-8") as file:
            file.write(f"id,{HOSTILE}\n")
            file.writelines(f"{number}{HOSTILE},{HOSTILE} Smith {number}\n" for number in (1, 2, 3))
        assert main(["dedupe", "customers.csv", "-o", "out", "-q"]) == 0
        assert main(["dedupe", "hostile.csv", "-o", "hostile", "-q"]) == 0
        Path("alone.csv").write_text("id,name\n1,Ann\n")
        assert main(["dedupe", "alone.csv", "-o", "alone", "-q"]) == 0
        assert main(["match", "customers.csv", "-o", "matched", "-q"]) == 0
        assert main(["evaluate", "matched", "--truth", "truth.csv", "--report"]) == 0
    return folder


def opened(browser, file):
    """Open a page, and wait until its plots are drawn; the addresses that it asked for, and what it complained of."""
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    browser.get(file.as_uri())
    drawn = "return document.querySelectorAll('.plot:not(.drawn)').length == 0"
    WebDriverWait(browser, PATIENCE).until(lambda page: page.execute_script(drawn))
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    return asked, browser.get_log("browser")


@pytest.mark.parametrize(("out", "plots"), [("out", 6), ("matched", 7)])
def test_a_report_opens_by_itself_and_draws_its_plots(browser, runs, out, plots):
    file = runs / out / "report.html"
    assert opened(browser, file) == ([file.as_uri()], [])
    svgs = browser.find_elements(By.CSS_SELECTOR, ".plot.drawn svg")
    assert len(svgs) == plots
    for svg in svgs:
        # Bars or a line, within what is shown.
        assert svg.size["width"] > 100
        assert svg.find_elements(By.CSS_SELECTOR, ".role-mark path")


def test_a_run_of_one_record_has_a_report_as_well(browser, runs):
    file = runs / "alone" / "report.html"
    assert opened(browser, file) == ([file.as_uri()], [])
    assert len(browser.find_elements(By.CSS_SELECTOR, ".plot.drawn svg")) == 3


def test_what_records_hold_is_never_run(browser, runs):
    file = runs / "hostile" / "report.html"
    assert opened(browser, file) == ([file.as_uri()], [])
    assert browser.execute_script("return window.pwned") is None
    assert f"{HOSTILE} Smith 2" in browser.find_element(By.ID, "pairs").text
    assert not browser.find_elements(By.TAG_NAME, "img")


def test_the_pair_at_the_cutoff_is_shown_as_the_run_found_it(browser, runs):
    opened(browser, runs / "out" / "report.html")
    lines = [
        line.split(",")
        for part in (runs / "out" / "pairs").glob("part-*")
        for line in part.read_text().splitlines()
    ]
    farthest = max(int(distance) for _, _, distance in lines)
    a, b, distance = min(line for line in lines if int(line[2]) == farthest)
    titles = [each.text for each in browser.find_elements(By.CSS_SELECTOR, "article.pair h3")]
    place = titles.index(f"{a} and {b}: {distance}, kept")
    pair = browser.find_elements(By.CSS_SELECTOR, "article.pair")[place]
    with open(runs / "customers.csv", encoding="utf-8") as file:
        values = dict(line.rstrip("\n").split(",", 1) for line in file if line.startswith((a, b)))
    rows = pair.find_elements(By.CSS_SELECTOR, "tbody tr")
    second = [row.find_elements(By.TAG_NAME, "td")[1].text.replace("␣", "") for row in rows]
    assert ",".join(second) == values[b]
    assert pair.find_elements(By.TAG_NAME, "mark")
    total = pair.find_element(By.CSS_SELECTOR, "tfoot td.number").text
    assert int(float(total)) == int(distance)


def test_it_can_be_read_in_the_dark_on_a_phone_and_by_keyboard(browser, runs):
    opened(browser, runs / "out" / "report.html")

    def colours():
        return browser.execute_script(
            "const of = getComputedStyle(document.body);"
            "const bar = document.querySelector('.kept_marks path, [class*=kept] path');"
            "return [of.backgroundColor, of.color, getComputedStyle(bar).fill]"
        )

    found = {}
    for scheme in ("light", "dark"):
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        found[scheme] = colours()
    assert all(light != dark for light, dark in zip(found["light"], found["dark"], strict=True))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    size = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    opened(browser, runs / "out" / "report.html")
    wide, there = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide <= there == 400
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    assert browser.switch_to.active_element.get_attribute("class") == "skip"
    table = browser.find_element(By.CSS_SELECTOR, "#distances details")
    assert table.get_attribute("open") is None
    table.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
    assert table.get_attribute("open") is not None


@pytest.mark.parametrize("out", ["out", "matched"])
def test_at_eight_hundred_pixels_pairs_and_numbers_are_seen_whole(browser, runs, out):
    size = {"width": 800, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    opened(browser, runs / out / "report.html")
    cut = browser.execute_script(
        "return [...document.querySelectorAll('.pair .wide, #distances > .wide, #fields > .wide')]"
        ".filter(each => each.scrollWidth > each.clientWidth).map(each => each.ariaLabel)"
    )
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert cut == []

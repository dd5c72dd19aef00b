"""pehchan label --web in a real Chromium: by keyboard and mouse, in two tabs, over reloads and a killed server."""

import csv
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from asked_pairs import make_model, question
from people import NAMES, people
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from pehchan.learning.asked import UNCERTAIN, Question, Questions, write_questions
from pehchan.learning.in_memory import learn_from
from pehchan.metadata.records import Record

WEB = [
    *(sys.executable, "-c", "import sys; from pehchan.console.command import main; sys.exit(main())"),
    *("label", "--model", "model", "--web"),
]
SAYS = {"1": "match", "0": "no match", "2": "unsure"}
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>\'&\u202e\x00'


@pytest.fixture(autouse=True)
def model(tmp_path, monkeypatch):
    """The folder of a model with 20 questions, some of them clear."""
    monkeypatch.chdir(tmp_path)
    return make_model([question(at, 0.99 if at > 16 else 0.5) for at in range(20)])


def kept():
    """By the number of a pair its answer; each pair is there once."""
    with open("model/labels.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    pairs = [int(row["pehchan_id"][:-1]) for row in rows[::2]]
    assert sorted(set(pairs)) == sorted(pairs)
    return {pair: row["z_isMatch"] for pair, row in zip(pairs, rows[::2], strict=True)}


class Server:
    """The command, and the address that it prints."""

    def __init__(self, *more):
        self.command = subprocess.Popen(
            [*WEB, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.command.stdout.readline()
        self.address = self.command.stdout.readline().strip()
        self.origin, _, self.token = self.address.partition("#")

    def end(self, number=signal.SIGINT):
        self.command.send_signal(number)
        return self.command.communicate(timeout=60)


@pytest.fixture
def server():
    found = Server()
    yield found
    if found.command.poll() is None:
        found.end()


class Page:
    """A tab, as a person sees it; `at` is the page's own, and finds an element by its id."""

    def __init__(self, browser, address=None):
        self.browser = browser
        if address is None:
            self.tab = browser.current_window_handle
            return
        browser.switch_to.new_window("tab")
        self.tab = browser.current_window_handle
        browser.get(address)
        self.until("!at('pair').hidden || !at('nothing').hidden")

    def run(self, script, *given):
        self.browser.switch_to.window(self.tab)
        return self.browser.execute_script(script, *given)

    def until(self, condition, *given):
        """Wait until an expression of the page is true; gives its value."""
        return WebDriverWait(self.browser, 20, 0.02).until(
            lambda _: self.run(f"return {condition}", *given), condition
        )

    def text(self, name):
        return self.run("return at(arguments[0]).textContent", name)

    def pair(self):
        """The number of the pair that is shown, -1 where none is."""
        if self.run("return at('pair').hidden"):
            return -1
        return int(self.run("return document.querySelector('#records thead').textContent").split("a")[0][6:])

    def press(self, key):
        self.browser.switch_to.window(self.tab)
        self.browser.find_element("tag name", "body").send_keys(key)

    def click(self, selector):
        self.browser.switch_to.window(self.tab)
        self.browser.find_element("css selector", selector).click()

    def answered(self, act, answer):
        """Answer by key or click, and wait until that is told; gives the number of the pair."""
        pair = self.pair()
        act(answer)
        self.until(
            "at('said').textContent.startsWith(arguments[0])",
            f"Kept for {pair}a and {pair}b: {SAYS[answer]}.",
        )
        return pair

    def close(self):
        self.browser.switch_to.window(self.tab)
        self.browser.close()
        self.browser.switch_to.window(self.browser.window_handles[0])


@pytest.fixture
def opened(browser):
    """Open tabs, which are closed behind the test; until then nothing may have been complained of or fetched."""
    browser.get("data:,")
    browser.get_log("browser")
    browser.get_log("performance")
    pages = []

    def open_(address):
        pages.append(Page(browser, address))
        return pages[-1]

    yield open_
    for page in pages:
        page.close()


def asked_for(browser):
    """The addresses and the headers of all requests since the last look."""
    found = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            request = message["params"]["request"]
            found.append((request["url"], request["headers"]))
    return [each for each in found if not each[0].startswith("data:")]


def test_twenty_pairs_by_key_and_mouse_with_undo_and_a_reload(browser, server, opened):
    page = opened(server.address)
    given = {}
    for number in range(8):
        answer = "102"[number % 3]
        given[page.answered(page.press, answer)] = answer
    for number in range(4):
        answer = "01"[number % 2]
        pair = page.answered(lambda each: page.click(f"[data-answer='{each}']"), answer)
        given[pair] = answer
    assert kept() == given
    # Taken back with the key and with the button; each is asked again.
    for act in (lambda: page.press("u"), lambda: page.click("#undo")):
        last = list(given)[-1]
        before = page.text("said")
        act()
        page.until(
            "at('said').textContent.startsWith('Taken back') && at('said').textContent !== arguments[0]",
            before,
        )
        assert page.pair() == last
        del given[last]
        assert kept() == given
        given[page.answered(page.press, "2")] = "2"
    # Loaded again it goes on with the same pair, and knows which answers were its own.
    shown = page.pair()
    browser.refresh()
    page.until("!at('pair').hidden")
    assert page.pair() == shown
    assert "this page" in page.text("last")
    assert server.token not in browser.current_url
    # What is clear is answered together.
    page.click("#clear summary")
    page.until("document.querySelectorAll('#cases input').length === 3")
    page.click("#tick")
    page.click("#cases tbody:last-child input")
    page.click("#keep")
    page.until("at('said').textContent.startsWith('Kept: 2 times match.')")
    given |= {17: "1", 18: "1"}
    while page.pair() >= 0:
        given[page.answered(page.press, "0")] = "0"
    assert given == kept()
    assert len(given) == 20
    assert "20 of 20 pairs answered, 0 left" in page.text("progress")
    # A key more answers nothing.
    page.press("1")
    assert [entry["message"] for entry in browser.get_log("browser")] == []
    requests = asked_for(browser)
    assert len(requests) > 20
    for url, headers in requests:
        assert url.startswith(server.origin)
        assert server.token not in url
        assert server.token not in headers.get("Referer", "")
    out, err = server.end()
    assert err == ""
    assert "20 labels" in out
    assert "No more pairs wait" in out


def test_two_tabs_share_the_work_and_see_each_other(browser, server, opened):
    one, other = opened(server.address), opened(server.address)
    assert one.pair() != other.pair()
    given = {}
    for number in range(6):
        page, answer = ((one, "1"), (other, "0"))[number % 2]
        given[page.answered(page.press, answer)] = answer
    assert kept() == given
    # What the other one did is seen without a reload.
    one.until(
        "at('last').textContent.includes('another page') && at('counts').textContent.startsWith('3 match, 3 no')"
    )
    one.until("at('others').textContent === '1 other page at work on these pairs.'")
    # Each takes back its own.
    one.press("u")
    one.until("at('said').textContent.startsWith('Taken back: match')")
    assert one.pair() == list(given)[-2]
    del given[list(given)[-2]]
    assert kept() == given
    # The pair that stands on one page is answered on the other, among the clear cases.
    while one.pair() != 17:
        given[one.answered(one.press, "2")] = "2"
    # Nobody looks at it, so that it does not look for news.
    one.run("Object.defineProperty(document, 'hidden', {value: true})")
    other.click("#clear summary")
    other.until("document.querySelectorAll('#cases input').length === 3")
    other.click("#tick")
    other.click("#keep")
    other.until("at('said').textContent.startsWith('Kept: 3 times match.')")
    one.run("answer(0)")
    one.until("at('said').textContent.includes('answered elsewhere')")
    given |= {17: "1", 18: "1", 19: "1"}
    while other.pair() >= 0:
        given[other.answered(other.press, "2")] = "2"
    assert kept() == given
    assert len(given) == 20
    assert [entry["message"] for entry in browser.get_log("browser")] == []


def test_a_killed_server_loses_nothing_and_the_next_goes_on(server, opened):
    page = opened(server.address)
    given = {}
    for _ in range(3):
        given[page.answered(page.press, "1")] = "1"
    server.end(signal.SIGKILL)
    shown = page.pair()
    page.press("0")
    page.until("at('trouble').textContent.includes('cannot be reached')")
    assert page.pair() == shown
    assert kept() == given
    again = Server("--port", re.search(r":(\d+)/", server.address)[1])
    try:
        # The old token opens nothing, the new one goes on in the same tab.
        page.until("at('trouble').textContent.includes('Open the address that it printed')")
        page.browser.get(again.address)
        page.until("at('trouble').hidden && !at('pair').hidden")
        assert page.pair() == shown
        given[page.answered(page.press, "0")] = "0"
        assert kept() == given
    finally:
        again.end()


def test_values_are_text_and_do_nothing(browser, model, opened):
    records = [Record("", each, (HOSTILE, each)) for each in ("1", HOSTILE)]
    asked = Questions((f"name {HOSTILE}", "city"), (Question(*records, UNCERTAIN, 0.99),))
    write_questions(model / "questions.json", asked)
    server = Server()
    try:
        page = opened(server.address)
        page.click("#clear summary")
        page.until("document.querySelectorAll('#cases input').length === 1")
        shown = HOSTILE.replace("\u202e", "\\u202e").replace("\x00", "\\x00")
        assert page.run("return document.querySelector('#records .value').textContent") == shown
        assert shown in page.text("cases")
        page.press("1")
        page.until("at('last').children.length === 1")
        assert shown in page.text("last")
        assert page.run("return document.querySelectorAll('main img, main script').length") == 0
        assert page.run("return window.hacked") is None
        assert [entry["message"] for entry in browser.get_log("browser")] == []
    finally:
        server.end()


def test_a_curve_shows_how_far_answers_moved_the_model(browser, model, opened):
    columns, ids, pairs = people(200)
    learn_from(NAMES, columns, ids).model.write(model)
    records = [Record("", each, items) for each, items in zip(ids, zip(*columns, strict=True), strict=True)]
    asked = [*pairs[:3], *((k, k + 9) for k in range(0, 9, 3))]
    questions = [Question(records[i], records[j], UNCERTAIN, 0.5) for i, j in asked]
    write_questions(model / "questions.json", Questions(tuple(NAMES), tuple(questions)))
    server = Server()
    try:
        page = opened(server.address)
        for number, answer in enumerate("1020", 1):
            page.press(answer)
            page.until("at('bar').value === arguments[0]", number)
        page.until("at('curve').querySelectorAll('circle').length === 4")
        heights = page.run(
            "return [...at('curve').querySelectorAll('circle')].map((each) => each.cy.baseVal.value)"
        )
        # Unsure moves nothing.
        assert heights[2] == max(heights) > min(heights)
        page.press("u")
        page.until("at('curve').querySelectorAll('circle').length === 3")
        assert "the 6 pairs asked about" in page.text("curve-says")
        assert [entry["message"] for entry in browser.get_log("browser")] == []
    finally:
        server.end()


def test_it_is_worked_by_keyboard_alone_and_named_for_readers_of_the_screen(browser, server, opened):
    page = opened(server.address)
    seen = []
    for _ in range(4):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        seen.append(browser.switch_to.active_element.accessible_name)
    assert seen == [
        "1 Match",
        "0 No match",
        "2 Unsure",
        "Clear cases, several at once (3 likely matches, 0 likely no matches)",
    ]
    # A key held down, and one with Ctrl, are no answers; nor is any with single keys turned off.
    page.run("document.dispatchEvent(new KeyboardEvent('keydown', {key: '1', repeat: true}))")
    page.run("document.dispatchEvent(new KeyboardEvent('keydown', {key: '1', ctrlKey: true}))")
    page.run("at('help').open = true")
    # Not by where it lies, as what comes in late moves it.
    page.run("at('keys').click()")
    page.press("1")
    page.run("at('keys').click()")
    assert not Path("model/labels.csv").exists()
    page.answered(page.press, "0")
    assert page.run("return at('said').getAttribute('role')") == "status"
    assert page.run("return document.querySelector('#records tbody th').getAttribute('role')") == "rowheader"
    # However narrow, nothing is wider than the page.
    for width in (320, 1000):
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False},
        )
        assert page.run("return document.documentElement.scrollWidth") <= width
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

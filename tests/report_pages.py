"""The page of a report, as its tests read it."""

from html.parser import HTMLParser
from pathlib import Path


class Page(HTMLParser):
    """What a browser makes of a page: its elements, and its text outside of scripts."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.scripts, self.texts, self._inside = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.texts.append(data)

    def handle_endtag(self, tag):
        self._inside = ""

    @property
    def text(self):
        return "".join(self.texts)


def page_of(out):
    """The page in an output folder."""
    return Page(Path(out, "report.html").read_text(encoding="utf-8"))

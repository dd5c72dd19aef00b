"""The report of a run as one page that needs nothing else: no network, and for its numbers no script.

Whatever records hold stands in it as text: the template escapes it, control characters are shown as escapes, and the
page's own policy allows no script or style but those that it came with.
"""

import base64
import hashlib
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from pehchan.console import plots
from pehchan.console.masking import Masking
from pehchan.console.report import Report
from pehchan.console.report_told import Told


def page(report: Report, masking: Masking | None = None) -> bytes:
    """The page, in UTF-8."""
    library = plots.script()
    environment = Environment(
        loader=PackageLoader("pehchan.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    folder = files("pehchan.console") / "templates"
    style, draw = ((folder / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    # A script element gives its text without anything around it, and so the hashes are of that.
    policy = (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src {_source(style)}; "
        f"script-src {_source(library)} {_source(draw)}"
    )
    told = Told(report, masking)
    text = environment.get_template("report.html.j2").render(
        **told.context(), policy=policy, style=style, library=library, draw=draw, masked=masking is not None
    )
    return text.encode("utf-8", "replace")


def _source(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"

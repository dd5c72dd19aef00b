"""pehchan label --web: the pairs of a model as a page of this machine, for a browser.

What is served knows nothing: the page is the same for everybody. What it shows it asks for with a token that stands
behind the # of the address, where no browser sends it to anybody, and that the page keeps in its tab. So it is in no
log and no Referer, and neither a page from elsewhere nor another user of this machine gets at the records.
"""

import ipaddress
import json
import re
import secrets
import socket
import socketserver
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple, TextIO, TypeVar
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from pehchan.console.label_curve import Curve
from pehchan.console.labelling import Session
from pehchan.console.labelling_pages import Answer, Pages
from pehchan.learning.labels import ANSWERS, MATCH, NO_MATCH
from pehchan.metadata.mistakes import Mistake, MistakesError

try:
    import bottle
except ImportError:
    bottle = None

LOOPBACK = "127.0.0.1"

#: Nothing comes from elsewhere, and no text becomes a script.
HEADERS = (
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    ),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)

_FILES = {"label.html": "text/html", "label.js": "text/javascript", "label.css": "text/css"}
_WEB = Path(__file__).parent / "web"
_PAGE = re.compile(r"[0-9a-f]{16}")
#: Seconds that a request may wait for those before it.
_PATIENCE = 30

T = TypeVar("T")


class Ended(RuntimeError):
    """The server is ending, and does nothing more."""


class Turns:
    """Work of several threads, done one after the other by the one that interrupts reach."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()

    def do(self, work: Callable[[], T]) -> T:
        """Have work done, and give what comes of it; for any thread. What fails is told to the page."""
        future: Future[T] = Future()
        self._waiting.put((future, work))
        try:
            return future.result(_PATIENCE)
        except Ended:
            raise bottle.HTTPError(503, "The server is ending.") from None
        except FutureTimeout:
            raise bottle.HTTPError(503, "The server is slow to answer.") from None
        except OSError as error:
            raise bottle.HTTPError(500, f"It could not be written: {error.strerror or error}.") from None

    def serve(self) -> None:
        """Do what is asked for, until an interrupt."""
        while True:
            future, work = self._waiting.get()
            try:
                future.set_result(work())
            except Exception as error:
                future.set_exception(error)
            except KeyboardInterrupt:
                future.set_exception(Ended())
                raise


class Door:
    """Lets in only who is meant: the right name, the same origin, and for all but the bare page the token."""

    def __init__(self, app: Callable[..., Iterable[bytes]], token: str, names: Callable[[str], bool]):
        self._app, self._token, self._names = app, token, names

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, [*headers, *HEADERS], exc_info)

        refusal = self._refusal(environ)
        if refusal is None:
            return self._app(environ, start)
        status, why = refusal
        body = json.dumps({"error": why}).encode()
        start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def _refusal(self, environ: dict[str, Any]) -> tuple[str, str] | None:
        host, origin = environ.get("HTTP_HOST", ""), environ.get("HTTP_ORIGIN")
        # A name of another site that was turned to this machine.
        if not self._names(host):
            return "403 Forbidden", "This server has another name."
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            return "403 Forbidden", "Another site may not ask."
        if not environ.get("PATH_INFO", "").startswith("/api/"):
            return None
        if environ.get("HTTP_SEC_FETCH_SITE", "same-origin") != "same-origin":
            return "403 Forbidden", "Another site may not ask."
        given = environ.get("HTTP_AUTHORIZATION", "").encode("latin-1", "replace")
        if not secrets.compare_digest(given, f"Bearer {self._token}".encode()):
            return "401 Unauthorized", "Open the address that pehchan label --web printed."
        return None


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    # A browser opens connections ahead of need; none of them keeps others waiting.
    daemon_threads = True
    block_on_close = False

    def server_bind(self) -> None:
        # Not as HTTPServer does, which asks the network for the name of this machine.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that has gone, or that made no use of a connection, is no error."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _ServerOfSix(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = 30

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what was asked for is nobody's business."""


class Opened(NamedTuple):
    """A server that listens, and is not served yet; the turns in which it works, its token and its address."""

    server: WSGIServer
    turns: Turns
    token: str
    address: str


def opened(session: Session, model: str, host: str = LOOPBACK, port: int = 0) -> Opened:
    """A server of the pairs of a session, on a free port where it is 0; one that others reach is warned of.

    Raises MistakesError where it cannot be: bottle is missing, there is no such host, or the port is taken.
    """
    if bottle is None:
        what = "bottle is not installed."
        raise MistakesError([Mistake("--web", what, "Install it: pip install 'pehchan[web]'")])
    turns, token, names = Turns(), secrets.token_urlsafe(32), _Names(host)
    app = _app(Pages(session, model), Curve(session, Path(model)), turns)
    server = _bound(host, port, Door(app, token, names))
    address, bound_port = server.server_address[:2]
    if not ipaddress.ip_address(str(address)).is_loopback:
        names.open_to_others = True
        print(_WARNING.format(host=host, port=bound_port), file=sys.stderr, flush=True)
    return Opened(server, turns, token, f"http://{_written(host)}:{bound_port}/#{token}")


def serve(session: Session, model: str, host: str, port: int, out: TextIO) -> None:
    """Serve the pairs of a session until an interrupt. Raises MistakesError where that is not possible."""
    server, turns, _, address = opened(session, model, host, port)
    waiting = len(session.waiting)
    out.write(f"{waiting:,} pair{' waits' if waiting == 1 else 's wait'} for an answer. ")
    out.write("Open this address in a browser, and give it only to who may see the records:\n")
    out.write(f"  {address}\n")
    out.write("Every answer is kept at once. Ctrl-C ends the server.\n")
    out.flush()
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        turns.serve()
    except KeyboardInterrupt:
        out.write("\n")
    finally:
        server.shutdown()
        server.server_close()


_WARNING = """\
WARNING: --host {host} opens these records to other machines: whoever gets hold of the address sees them, and
  answers; and nothing is encrypted on its way. Safer is the default with a tunnel from the other machine:
  ssh -L {port}:127.0.0.1:{port} THIS-MACHINE"""


class _Names:
    """What this server may be called. By number nobody is led astray; of names only those that are its own."""

    def __init__(self, host: str):
        self._own = {"localhost", host.lower()}
        self.open_to_others = False

    def __call__(self, host: str) -> bool:
        try:
            # Any port: a tunnel may have another one at its end.
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        try:
            number = ipaddress.ip_address(name)
        except ValueError:
            return name in self._own or (self.open_to_others and name in _machine_names())
        return self.open_to_others or number.is_loopback


def _machine_names() -> set[str]:
    own = socket.gethostname().lower()
    return {own, own.partition(".")[0], f"{own}.local"}


def _written(host: str) -> str:
    """A host as an address has it; that of all interfaces by the name of the machine."""
    if host in ("0.0.0.0", "::", ""):
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host


def _bound(host: str, port: int, app: Callable[..., Any]) -> WSGIServer:
    if not 0 <= port <= 65535:
        raise MistakesError([Mistake(f"--port {port}", "is no port.", "Give one from 1 to 65535.")])
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise MistakesError([Mistake("--host", f"{host!r} is no address of this machine.", "")]) from None
    kind = _ServerOfSix if family == socket.AF_INET6 else _Server
    try:
        return make_server(str(address[0]), port, app, kind, _Handler)
    except OSError as error:
        right = "Give another --port, or none: then a free one is taken."
        raise MistakesError(
            [Mistake(f"--host {host} --port {port}", f"cannot be served: {error.strerror}.", right)]
        ) from None


def _app(pages: Pages, curve: Curve, turns: Turns) -> Any:
    """The pages, as a program of bottle."""
    app = bottle.Bottle()

    def file(name: str) -> Any:
        body = (_WEB / name).read_bytes()
        return bottle.HTTPResponse(body, 200, {"Content-Type": f"{_FILES[name]}; charset=utf-8"})

    app.route("/", "GET", lambda: file("label.html"))
    app.route("/label.js", "GET", lambda: file("label.js"))
    app.route("/label.css", "GET", lambda: file("label.css"))

    @app.get("/api/state")
    def state() -> Any:
        page = _page(bottle.request.query.get("page"))
        return turns.do(lambda: pages.state(page))

    @app.get("/api/clear")
    def clear() -> Any:
        page = _page(bottle.request.query.get("page"))
        answer = _answer({"0": NO_MATCH, "1": MATCH}.get(bottle.request.query.get("answer")))
        return turns.do(lambda: pages.clear_cases(page, answer))

    @app.post("/api/answers")
    def answers() -> Any:
        given = _given()
        page, each = _page(given.get("page")), given.get("answers")
        if not isinstance(each, list) or not all(isinstance(one, dict) for one in each):
            raise _refused("answers are a list of {pair, answer}")
        said = [Answer(_text(one.get("pair")), _answer(one.get("answer"))) for one in each]
        return turns.do(lambda: {"results": pages.answer(page, said), "state": pages.state(page)})

    @app.post("/api/undo")
    def undo() -> Any:
        given = _given()
        page, pair = _page(given.get("page")), _text(given.get("pair"))
        return turns.do(lambda: {"result": pages.take_back(page, pair), "state": pages.state(page)})

    @app.get("/api/curve")
    def movement() -> Any:
        return curve.of(*turns.do(curve.made_from))

    def failed(error: Any) -> str:
        """Any error as JSON."""
        bottle.response.content_type = "application/json"
        return json.dumps({"error": str(error.body)})

    app.default_error_handler = failed
    return app


def _refused(why: str) -> Exception:
    error: Exception = bottle.HTTPError(400, why)
    return error


def _given() -> dict[str, Any]:
    # A form of another site could not send this type.
    if bottle.request.content_type.partition(";")[0].strip() != "application/json":
        raise _refused("only JSON is read")
    given = bottle.request.json
    if not isinstance(given, dict):
        raise _refused("only an object is read")
    return given


def _page(given: object) -> str:
    if not isinstance(given, str) or not _PAGE.fullmatch(given):
        raise _refused("page is 16 hexadecimal digits")
    return given


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise _refused("pair is the name of one")
    return given


def _answer(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given not in ANSWERS:
        raise _refused("answer is 1, 0 or 2")
    return given

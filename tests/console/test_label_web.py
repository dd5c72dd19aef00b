"""pehchan label --web, over HTTP: no answer is lost or doubled, and nobody gets in who is not meant."""

import csv
import http.client
import json
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from asked_pairs import COLUMNS, ask, make_model, question
from people import NAMES, people

from pehchan.console import label_web
from pehchan.console.label_web import HEADERS, opened
from pehchan.console.labelling import session
from pehchan.console.labelling_pages import SILENT, Answer, Pages
from pehchan.learning.asked import UNCERTAIN, Question, Questions, read_questions, write_questions
from pehchan.learning.in_memory import learn_from
from pehchan.learning.label_book import LabelBook
from pehchan.learning.labels import MATCH, NO_MATCH, UNSURE, Label, read_labels
from pehchan.metadata.mistakes import MistakesError
from pehchan.metadata.records import Record

COMMAND = [sys.executable, "-c", "import sys; from pehchan.console.command import main; sys.exit(main())"]
WEB = [*COMMAND, "label", "--model", "model", "--web"]
ONE, OTHER = "0" * 16, "1" * 16


@pytest.fixture(autouse=True)
def model(tmp_path, monkeypatch):
    """The folder of a model with ten questions."""
    monkeypatch.chdir(tmp_path)
    return make_model([question(at) for at in range(10)])


def kept():
    """The ids of the labelled pairs and the answers; each pair is there once."""
    path = Path("model/labels.csv")
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    pairs = [
        (one["pehchan_id"], other["pehchan_id"]) for one, other in zip(rows[::2], rows[1::2], strict=True)
    ]
    assert len(set(pairs)) == len(pairs)
    return [(*pair, int(row["z_isMatch"])) for pair, row in zip(pairs, rows[::2], strict=True)]


class Client:
    """Asks a server as a page does, and as others would."""

    def __init__(self, address):
        parts = urlsplit(address)
        self.port, self.token = parts.port, parts.fragment

    def send(self, path, body=None, method=None, drop=(), **headers):
        """(status, headers, body) of one request; an `_` in the name of a header is a hyphen."""
        sent = {"Host": f"127.0.0.1:{self.port}", "Authorization": f"Bearer {self.token}"}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if body is not None:
            sent["Content-Type"] = "application/json"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method or ("GET" if body is None else "POST"), path, skip_host=True)
            for name, value in sent.items():
                if name not in drop:
                    connection.putheader(name, value)
            if data is not None:
                connection.putheader("Content-Length", str(len(data)))
            connection.endheaders(data)
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def call(self, path, body=None):
        status, _, data = self.send(path, body)
        assert status == 200, data
        return json.loads(data)

    def state(self, page=ONE):
        return self.call(f"/api/state?page={page}")

    def answer(self, *answers, page=ONE):
        each = [{"pair": pair, "answer": answer} for pair, answer in answers]
        return self.call("/api/answers", {"page": page, "answers": each})["results"]

    def undo(self, pair, page=ONE):
        return self.call("/api/undo", {"page": page, "pair": pair})


@contextmanager
def other_pages():
    """Pages on another model, with the questions of the first as they are now."""
    Path("other").mkdir()
    Path("other/model.json").write_text("{}")
    Path("other/questions.json").write_bytes(Path("model/questions.json").read_bytes())
    with session("other") as labelling:
        yield Pages(labelling, "other")


def interrupt():
    raise KeyboardInterrupt


@pytest.fixture
def client():
    """Of a server of this process."""
    with session("model") as labelling:
        server = opened(labelling, "model")
        threads = [
            threading.Thread(target=server.server.serve_forever, args=[0.01]),
            threading.Thread(target=serve_turns, args=[server.turns]),
        ]
        for thread in threads:
            thread.start()
        yield Client(server.address)
        with pytest.raises(Exception, match="ending"):
            server.turns.do(interrupt)
        server.server.shutdown()
        server.server.server_close()
        for thread in threads:
            thread.join()


def serve_turns(turns):
    with pytest.raises(KeyboardInterrupt):
        turns.serve()


# Answers


def test_every_answer_is_on_the_disk_before_it_is_told_as_kept(client):
    for at in range(10):
        state = client.state()
        assert (state["answered"], state["waiting"]) == (at, 10 - at)
        assert state["question"]["ids"] == [f"{at}a", f"{at}b"]
        (result,) = client.answer((state["question"]["pair"], at % 3))
        assert (result["status"], result["answer"]) == ("kept", at % 3)
        assert kept() == [(f"{each}a", f"{each}b", each % 3) for each in range(at + 1)]
    assert client.state()["question"] is None
    assert client.state()["counts"] == {"1": 3, "0": 4, "2": 3}


def test_an_answer_goes_to_the_pair_it_names_once(client):
    first = client.state(ONE)["question"]["pair"]
    assert client.answer((first, MATCH))[0]["status"] == "kept"
    # Sent again, as the reply was lost; and by somebody else, who says otherwise.
    for page, by in ((ONE, "this page"), (OTHER, "another page")):
        (again,) = client.answer((first, NO_MATCH), page=page)
        assert (again["status"], again["answer"], again["by"]) == ("known", MATCH, by)
    assert client.answer(("no such pair", MATCH))[0]["status"] == "no pair"
    assert kept() == [("0a", "0b", MATCH)]


def test_pages_are_shown_different_pairs_until_one_is_silent():
    now = [0.0]
    with session("model") as labelling:
        pages = Pages(labelling, "model", lambda: now[0])

        def shown(page):
            return pages.state(page)["question"]["ids"][0]

        assert [shown(ONE), shown(OTHER), shown(ONE)] == ["0a", "1a", "0a"]
        assert pages.state(ONE)["others"] == 1
        pages.answer(ONE, [Answer(pages.state(ONE)["question"]["pair"], MATCH)])
        assert [shown(ONE), shown(OTHER)] == ["2a", "1a"]
        now[0] += SILENT / 2
        assert shown(ONE) == "2a"
        now[0] += SILENT / 2
        # The other one is closed: its pair is the first that waits.
        pages.answer(ONE, [Answer(pages.state(ONE)["question"]["pair"], MATCH)])
        assert shown(ONE) == "1a"
        assert pages.state(ONE)["others"] == 0


def test_many_at_a_time_lose_nothing_and_double_nothing(client):
    names = []
    for _ in range(10):
        names.append(client.state()["question"]["pair"])
        client.answer((names[-1], UNSURE))
    for name in names:
        client.undo(name)

    def work(page):
        results = []
        while (question := client.state(page)["question"]) is not None:
            results += client.answer((question["pair"], MATCH), page=page)
        return [each["pair"] for each in results if each["status"] == "kept"]

    with ThreadPoolExecutor(4) as pool:
        found = [
            pair for pairs in pool.map(work, [str(number) * 16 for number in range(4)]) for pair in pairs
        ]
    assert sorted(found) == sorted(names)
    assert sorted(kept()) == sorted((f"{at}a", f"{at}b", MATCH) for at in range(10))


def test_clear_cases_are_answered_together():
    ask([question(at, probability) for at, probability in enumerate([0.5, 0.95, 0.99, 0.02, 0.9, 0.1])])
    with session("model") as labelling:
        pages = Pages(labelling, "model")
        assert pages.state(ONE)["clear"] == {"1": 2, "0": 1}
        likely = pages.clear_cases(ONE, MATCH)
        assert [pair["ids"][0] for pair in likely["pairs"]] == ["2a", "1a"]
        assert pages.clear_cases(ONE, NO_MATCH)["pairs"][0]["guess"] == {
            "answer": NO_MATCH,
            "says": "no match",
            "percent": 98,
        }
        results = pages.answer(ONE, [Answer(pair["pair"], MATCH) for pair in likely["pairs"]])
        assert [each["status"] for each in results] == ["kept", "kept"]
        assert pages.state(ONE)["agreed"] == {"of": 2, "agree": 2}
        pages.answer(ONE, [Answer(pages.clear_cases(ONE, NO_MATCH)["pairs"][0]["pair"], MATCH)])
        assert pages.state(ONE)["agreed"] == {"of": 3, "agree": 2}
    assert kept() == [("2a", "2b", MATCH), ("1a", "1b", MATCH), ("3a", "3b", MATCH)]


def test_a_sure_model_speaks_up_after_an_answer_against_it():
    ask([question(0, 0.97)])
    with other_pages() as pages:
        (result,) = pages.answer(ONE, [Answer(pages.state(ONE)["question"]["pair"], NO_MATCH)])
        assert result["doubt"].startswith("Please check: the model is 97 % sure that these two match.")


# Taking back


def test_each_page_takes_its_own_answers_back(client):
    for page, answer in ((ONE, MATCH), (OTHER, NO_MATCH), (ONE, UNSURE), (OTHER, MATCH)):
        client.answer((client.state(page)["question"]["pair"], answer), page=page)
    before = kept()
    undo = client.state(ONE)["undo"]
    assert undo["by"] == "this page"
    assert undo["answer"] == UNSURE
    data = client.undo(undo["pair"], ONE)
    assert (data["result"]["status"], data["result"]["answer"]) == ("kept", UNSURE)
    # It is asked again, here.
    assert data["state"]["question"]["pair"] == undo["pair"]
    assert data["state"]["question"]["reason"] in (UNCERTAIN, "taken back")
    assert kept() == [each for each in before if each[:2] != tuple(undo["ids"])]
    assert client.undo(undo["pair"], OTHER)["result"]["status"] == "no pair"
    client.answer((undo["pair"], MATCH))
    assert sorted(kept()) == sorted([*[each for each in before if each[2] != UNSURE], (*undo["ids"], MATCH)])


def test_a_page_without_answers_takes_back_those_of_earlier_sessions_and_not_of_open_pages(client):
    client.answer((client.state(ONE)["question"]["pair"], MATCH), page=ONE)
    assert client.state(OTHER)["undo"] is None
    assert [label["by"] for label in client.state(OTHER)["last"]] == ["another page"]
    with other_pages() as pages:
        book = pages._session.book
        first = question(7)
        book.add(COLUMNS, Label("of before", first.first, first.second, NO_MATCH))
        undo = pages.state(ONE)["undo"]
        assert (undo["pair"], undo["by"]) == ("of before", "before")


def test_an_answer_is_taken_back_that_is_not_the_last_and_none_of_the_questions():
    book = LabelBook(Path("model/labels.csv"))
    strange = Record("", "x", ("a@b", "Ann")), Record("", "y", ("", "Bob"))
    book.add(("mail", "name"), Label("strange", *strange, MATCH))
    book.add(COLUMNS, Label("known", question(3).first, question(3).second, MATCH))
    with session("model") as labelling:
        pages = Pages(labelling, "model")
        pages.answer(ONE, [Answer(pages.state(ONE)["question"]["pair"], UNSURE)])
        assert pages.take_back(ONE, "strange")["answer"] == MATCH
        assert pages.state(ONE)["question"]["ids"] == ["x", "y"]
        # What was given in this session is counted as before.
        assert [label.answer for label in labelling.given] == [UNSURE]
        pages.answer(ONE, [Answer(pages.state(ONE)["question"]["pair"], NO_MATCH)])
    assert kept() == [("3a", "3b", MATCH), ("0a", "0b", UNSURE), ("x", "y", NO_MATCH)]
    assert read_questions(Path("model/questions.json")).questions[0].first.id == "x"


def test_an_answer_that_cannot_be_taken_back_stands_and_the_rest_goes_on(model):
    book = LabelBook(model / "labels.csv")
    strange = Record("", "x", ("a@b", "Ann")), Record("", "y", ("", "Bob"))
    book.add(("mail", "name"), Label("strange", *strange, MATCH))
    with session("model") as labelling:
        pages = Pages(labelling, "model")
        (model / ".labels.csv.unfinished").mkdir()
        with pytest.raises(OSError, match="Is a directory"):
            pages.take_back(ONE, "strange")
        assert kept() == [("x", "y", MATCH)]
        (model / ".labels.csv.unfinished").rmdir()
        pages.answer(ONE, [Answer(pages.state(ONE)["question"]["pair"], UNSURE)])
        pages.take_back(ONE, "strange")
        assert pages.state(ONE)["question"]["ids"] == ["x", "y"]
    assert kept() == [("0a", "0b", UNSURE)]


# Who is let in


API = ["/api/state?page=" + ONE, "/api/clear?answer=1&page=" + ONE, "/api/curve", "/api/answers", "/api/undo"]


@pytest.mark.parametrize("path", API)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"drop": ["Authorization"]}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Bearer \xe9"}, 401),
        ({"Cookie": "token={token}", "drop": ["Authorization"]}, 401),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example:{port}", "Origin": "http://evil.example:{port}"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "localhost@evil.example"}, 403),
        ({"Host": "10.0.0.1"}, 403),
        ({"drop": ["Host"]}, 403),
    ],
)
def test_only_who_is_meant_is_let_in(client, path, headers, status):
    filled = {
        name: value if name == "drop" else value.format(port=client.port, token=client.token)
        for name, value in headers.items()
    }
    body = {"page": ONE, "answers": [], "pair": ""} if path in API[3:] else None
    assert client.send(path, body)[0] == 200
    got, answered, data = client.send(path, body, **filled)
    assert got == status
    assert set(json.loads(data)) == {"error"}
    assert all(answered[name] == value for name, value in HEADERS)


def test_a_tunnel_may_have_another_port_at_its_end(client):
    for host in ("localhost:9999", "127.0.0.1:9999", "[::1]:9999", "LOCALHOST"):
        assert client.send(API[0], Host=host, Origin=f"http://{host}")[0] == 200


def test_the_bare_page_is_the_same_for_everybody_and_holds_nothing(client):
    for path, kind in (("/", "text/html"), ("/label.js", "text/javascript"), ("/label.css", "text/css")):
        status, headers, body = client.send(path, drop=["Authorization"])
        assert status == 200
        assert headers["Content-Type"] == f"{kind}; charset=utf-8"
        assert b"Ann" not in body
        assert client.token.encode() not in body
        assert not re.search(rb"(https?:)?//(?!www\.w3\.org/2000/svg)[a-z]", body.replace(b"// ", b""))
        assert client.send(path, Host="evil.example")[0] == 403
    _, headers, body = client.send("/")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Referrer-Policy"] == "no-referrer"
    # No script, style or handler but in the files of its own.
    assert not re.search(rb"<script(?! src)|<style|\son[a-z]+=|\sstyle=|javascript:", body)


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/api/answers", b"{", {}, 400),
        ("/api/answers", b"[]", {}, 400),
        ("/api/answers", {"page": ONE}, {}, 400),
        ("/api/answers", {"page": "x", "answers": []}, {}, 400),
        ("/api/answers", {"page": ONE, "answers": [{"pair": "p", "answer": 3}]}, {}, 400),
        ("/api/answers", {"page": ONE, "answers": [{"pair": "p", "answer": True}]}, {}, 400),
        ("/api/answers", {"page": ONE, "answers": [{"pair": 1, "answer": 1}]}, {}, 400),
        ("/api/answers", {"page": ONE, "answers": []}, {"Content_Type": "text/plain"}, 400),
        ("/api/answers", b" " * 110_000, {}, 413),
        ("/api/undo", {"page": ONE, "pair": None}, {}, 400),
        ("/api/state", None, {}, 400),
        ("/api/clear?answer=2&page=" + ONE, None, {}, 400),
        ("/api/nothing", None, {}, 404),
        ("/../label_web.py", None, {}, 404),
        ("/label.html", None, {}, 404),
        ("/api/state?page=" + ONE, {"page": ONE}, {}, 405),
    ],
)
def test_what_is_wrong_is_refused_with_a_reason(client, path, body, headers, status):
    got, answered, data = client.send(path, body, **headers)
    assert got == status
    assert json.loads(data)["error"]
    assert answered["Content-Security-Policy"]
    assert kept() == []


# What records hold


def test_values_come_out_as_text_with_nothing_unseen():
    hostile = "<script>alert(1)</script>\"'&\x00\x1b[31m\u202egpj\u2066\u200b\r\nशर्मा שלום"
    ask([Question(Record(hostile, hostile, (hostile, "x")), Record("", "2", ("", "x")), UNCERTAIN)])
    with other_pages() as pages:
        state = pages.state(ONE)
        ((piece, changed),) = state["question"]["fields"][0]["values"][0]
        assert changed
        assert piece.startswith(
            "<script>alert(1)</script>\"'&\\x00\\x1b[31m\\u202egpj\\u2066\\u200b\\r\\nशर्मा"
        )
        pages.answer(ONE, [Answer(state["question"]["pair"], MATCH)])
        text = json.dumps([state, pages.state(ONE), pages.clear_cases(ONE, MATCH)], ensure_ascii=False)
        assert not re.search("[\x00-\x1f\u200b\u202a-\u202e\u2066-\u2069]", text)
    label = read_labels(["other/labels.csv"]).labels[0]
    assert hostile in (label.first.items[0], label.second.items[0])


def test_both_values_are_marked_where_the_other_differs(client):
    name, city = client.state()["question"]["fields"]
    assert name == {
        "name": "name",
        "values": [[["Ann", False], ["", True], [" 0", False]], [["Ann", False], ["e", True], [" 0", False]]],
        "compared": "differ",
    }
    assert city["compared"] == "one is empty"


def test_labels_stay_as_they_were_and_for_their_owner_alone(model):
    # Data that is read back: nothing is put before =, +, - and @, as it is where people look at an output.
    formula = Question(Record("", "=1", ("=1+1", "-2")), Record("", "@", ("+3", "@SUM(A1)")), UNCERTAIN)
    ask([formula])
    with other_pages() as pages:
        pages.answer(ONE, [Answer(pages.state(ONE)["question"]["pair"], MATCH)])
    label = read_labels(["other/labels.csv"]).labels[0]
    assert {label.first, label.second} == {formula.first, formula.second}
    assert Path("other/labels.csv").stat().st_mode & 0o777 == 0o600
    assert (model / "questions.json").stat().st_mode & 0o777 == 0o600


def test_an_answer_that_cannot_be_written_is_told_and_those_before_are_kept(client, model):
    client.answer((client.state()["question"]["pair"], MATCH))
    aside = model / ".labels.csv.unfinished"
    aside.mkdir()
    pair = client.state()["question"]["pair"]
    body = {"page": ONE, "answers": [{"pair": pair, "answer": 1}]}
    status, _, data = client.send("/api/answers", body)
    assert status == 500
    assert json.loads(data)["error"] == "It could not be written: Is a directory."
    assert len(kept()) == 1
    aside.rmdir()
    assert client.answer((pair, NO_MATCH))[0]["status"] == "kept"
    assert kept()[1:] == [("1a", "1b", NO_MATCH)]


# How far answers move the model


def test_the_curve_follows_answers_and_what_is_taken_back(client):
    assert client.call("/api/curve")["why"].startswith("model/model.json has version None")
    columns, ids, pairs = people(200)
    records = [Record("", each, items) for each, items in zip(ids, zip(*columns, strict=True), strict=True)]
    learn_from(NAMES, columns, ids).model.write(Path("real"))
    asked = [*pairs[:4], *((k, k + 9) for k in range(0, 12, 3))]
    questions = [Question(records[i], records[j], UNCERTAIN, 0.5) for i, j in asked]
    write_questions(Path("real/questions.json"), Questions(tuple(NAMES), tuple(questions)))
    with session("real") as labelling:
        pages, curve = Pages(labelling, "real"), label_web.Curve(labelling, Path("real"))
        seen = [curve.of(*curve.made_from())]
        for answer in (MATCH, NO_MATCH, UNSURE, NO_MATCH):
            pages.answer(ONE, [Answer(pages.state(ONE)["question"]["pair"], answer)])
            seen.append(curve.of(*curve.made_from()))
        assert [len(each["moved"]) for each in seen] == [0, 1, 2, 3, 4]
        assert all(longer["moved"][:-1] == shorter["moved"] for shorter, longer in pairwise(seen))
        assert seen[-1]["moved"][1] > 0
        assert seen[-1]["moved"][2] == 0
        assert seen[-1]["asked"] == len(asked)
        assert not seen[-1]["settled"]
        # Not the last: what follows from it is found anew, as if it had never been there.
        pages.take_back(ONE, labelling.book.labels[1].pair)
        shorter = curve.of(*curve.made_from())
        assert shorter == label_web.Curve(labelling, Path("real")).of(*curve.made_from())
        assert len(shorter["moved"]) == 3


# The command


def test_without_bottle_it_says_what_to_install(called, monkeypatch):
    monkeypatch.setattr(label_web, "bottle", None)
    code, _, err = called("label", "--model", "model", "--web")
    assert code == 2
    assert "bottle is not installed.\n  Install it: pip install 'pehchan[web]'" in err


def test_what_cannot_be_served_is_told(client, called):
    for more, said in (
        (["--port", str(client.port)], "cannot be served: Address already in use."),
        (["--port", "99999999"], "is no port"),
        (["--host", "no.such.host.invalid"], "'no.such.host.invalid' is no address of this machine"),
    ):
        Path("free").mkdir(exist_ok=True)
        Path("free/model.json").write_text("{}")
        Path("free/questions.json").write_bytes(Path("model/questions.json").read_bytes())
        code, _, err = called("label", "--model", "free", "--web", *more)
        assert (code, said in err) == (2, True), err
    code, _, err = called("label", "--model", "model", "--web")
    assert code == 2
    assert "another command is at work on its questions and labels" in err
    code, _, err = called("label", "--model", "free", "--port", "1")
    assert (code, "Add --web." in err) == (2, True)


def test_it_listens_to_this_machine_alone_unless_it_is_told_and_warns(capsys):
    with session("model") as labelling:
        server = opened(labelling, "model").server
        server.server_close()
        assert server.server_address[0] == "127.0.0.1"
        assert capsys.readouterr().err == ""
        server, _, token, address = opened(labelling, "model", "0.0.0.0")
        server.server_close()
        said = capsys.readouterr().err
        assert said.startswith("WARNING: --host 0.0.0.0 opens these records to other machines")
        assert token not in said
        names = server.get_app()._names
        assert names(urlsplit(address).netloc)
        assert names("10.1.2.3:80")
        assert not names("evil.example")
        with pytest.raises(MistakesError, match="is no address of this machine"):
            opened(labelling, "model", "a" * 70)


def test_idle_and_broken_connections_hold_nobody_up_and_are_no_errors(client, monkeypatch, capfd):
    monkeypatch.setattr(label_web._Handler, "timeout", 0.05)
    idle = [socket.create_connection(("127.0.0.1", client.port)) for _ in range(8)]
    assert client.state()["waiting"] == 10
    for each in idle[:4]:
        each.sendall(b"GET /api/state HTTP/1.1\r\n")
        # Gone without a word.
        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        each.close()
    for each in idle[4:]:
        assert each.recv(1) == b""
        each.close()
    assert client.state()["waiting"] == 10
    assert capfd.readouterr().err == ""


def started(*more):
    """The command, and a client of it."""
    command = subprocess.Popen([*WEB, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert command.stdout.readline().startswith("10 pairs wait for an answer.")
    return command, Client(command.stdout.readline().strip())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_ends_the_answers_are_kept_and_the_token_is_in_no_log(number):
    command, client = started()
    pairs = []
    for answer in (MATCH, NO_MATCH):
        pairs.append(client.state()["question"]["pair"])
        client.answer((pairs[-1], answer))
    client.send(f"/?token={client.token}")
    client.send("/api/state", drop=["Authorization"])
    command.send_signal(number)
    out, err = command.communicate(timeout=60)
    assert kept() == [("0a", "0b", MATCH), ("1a", "1b", NO_MATCH)]
    assert err == ""
    assert client.token not in out
    if number == signal.SIGKILL:
        return
    assert command.returncode == 0
    assert "2 labels (1 match, 1 no match, 0 unsure) in this session\n" in out
    assert "8 pairs still wait; go on with: pehchan label --model model\n" in out

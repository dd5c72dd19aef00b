"""Every row of a file becomes one record line or is set aside with its reason; nothing is lost in silence."""

import bz2
import csv
import gzip
import io
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pehchan.console import ingest as module
from pehchan.console.ingest import IngestCounts, detect_format, ingest, read_header, sample_rows
from pehchan.metadata.mistakes import MistakesError
from pehchan.metadata.records import decode_record

COLUMNS = ["id", "name", "city"]


def take_in(path, content, format="csv", encoding="utf-8", columns=COLUMNS, set_name="", delimiter=""):
    """Write the content to the path and ingest it: the items, what was set aside, the counts."""
    path.write_bytes(content)
    out, rejected = io.BytesIO(), io.BytesIO()
    counts = ingest(path, format, encoding, set_name, columns, out, rejected, delimiter)
    records = [decode_record(line) for line in out.getvalue().splitlines()]
    aside = [json.loads(line) for line in rejected.getvalue().splitlines()]
    assert out.getvalue().isascii()
    assert (counts.records, counts.rejected) == (len(records), len(aside))
    return [list(record.items) for record in records], aside, counts


@pytest.fixture
def path(tmp_path):
    return tmp_path / "customers"


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.csv", "csv"),
        ("A.CSV.GZ", "csv"),
        ("a.tsv.bz2", "tsv"),
        ("a.tab", "tsv"),
        ("a.jsonl", "jsonl"),
        ("a.ndjson.gz", "jsonl"),
        ("a.json", "jsonl"),
        ("a.txt", "lines"),
        ("part-00000", "lines"),
        ("part-00000.gz", "lines"),
        ("csv", "lines"),
    ],
)
def test_the_extension_names_the_format(name, format):
    assert detect_format(f"some.csv/{name}") == format


def test_a_row_becomes_a_record_line_of_its_set(path):
    path.write_bytes(b"id,name\n1,Ann\n")
    out = io.BytesIO()
    assert ingest(path, "csv", "utf-8", "shop", ["id", "name"], out, io.BytesIO()) == IngestCounts(1, 0, 0)
    assert out.getvalue() == b'[1,"shop","",["1","Ann"]]\n'


def test_quoted_delimiters_quotes_and_line_ends_are_values(path):
    content = b'id,name,city\n1,"Ann ""A"" Lee","Rome, GA"\n2,"two\nlines","crlf\r\nkept"\n3,5" pipe,\n'
    items, aside, _ = take_in(path, content)
    assert items == [
        ["1", 'Ann "A" Lee', "Rome, GA"],
        ["2", "two\nlines", "crlf\r\nkept"],
        ["3", '5" pipe', ""],
    ]
    assert aside == []


def test_crlf_a_missing_last_line_end_and_blank_lines(path):
    items, aside, counts = take_in(path, b"\r\nid,name,city\r\n1,Ann,Rome\r\n\r\n  \r\n2,Bob,Paris")
    assert items == [["1", "Ann", "Rome"], ["2", "Bob", "Paris"]]
    assert aside == []
    assert counts == IngestCounts(2, 0, 2)


def test_a_row_of_empty_values_is_a_record(path):
    assert take_in(path, b"id,name,city\n,,\n")[0] == [["", "", ""]]
    assert take_in(path, b'id\n""\n\n', columns=["id"])[0] == [[""]]
    assert take_in(path, b"id\tname\tcity\n\t\t\n", "tsv")[0] == [["", "", ""]]


def test_tsv_and_another_delimiter(path):
    assert take_in(path, b'id\tname\tcity\n1\t"A\tB"\tx,y\n', "tsv")[0] == [["1", "A\tB", "x,y"]]
    assert take_in(path, b"id;name;city\n1;A,B;x\n", delimiter=";")[0] == [["1", "A,B", "x"]]
    with pytest.raises(MistakesError, match="one character"):
        read_header(path, "csv", delimiter="::")


def test_files_with_their_columns_in_another_order_agree(path):
    one = take_in(path, b"id,name,city\n1,Ann,Rome\n")[0]
    assert take_in(path, b"city,id,age,name\nRome,1,30,Ann\n")[0] == one
    assert take_in(path, b"id,name,city\n1,Ann,Rome\n", columns=["city"])[0] == [["Rome"]]


def test_a_column_that_the_file_lacks_is_a_missing_item(path):
    assert take_in(path, b"id,town\n1,Rome\n", columns=["id", "name", "town"])[0] == [["1", "", "Rome"]]


table = st.lists(
    st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=3, max_size=3
    )
)


@given(rows=table, encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030"]))
def test_any_table_comes_back_as_it_was(tmp_path_factory, rows, encoding):
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([COLUMNS, *rows])
    content = text.getvalue().encode(encoding)
    items, aside, _ = take_in(tmp_path_factory.mktemp("t") / "a.csv", content, encoding=encoding)
    assert items == rows
    assert aside == []


@settings(max_examples=500)
@given(text=st.text(alphabet='ab,"\n\r ', max_size=40))
@example(text='1,"""a\n""\n')
@example(text='1,2,"')
@example(text='"a"b,"\n",3')
def test_whatever_the_quotes_rows_are_those_of_the_csv_module_or_set_aside(tmp_path_factory, text):
    items, aside, counts = take_in(tmp_path_factory.mktemp("t") / "a.csv", b"id,name,city\n" + text.encode())
    shown = "".join(row["line"] for row in aside)
    assert set(text) - set(shown) - set("".join(map("".join, items))) <= set('",\r\n ')
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        assert aside
        return
    assert items == [row for row in rows if len(row) == 3]
    assert len(rows) == counts.records + counts.rejected + counts.blank


def test_too_few_and_too_many_columns_are_set_aside_and_the_rest_goes_on(path):
    items, aside, _ = take_in(path, b'id,name,city\n1,"a\nb",c\n2,x\n3,x,y,z\n4,x,y\n')
    assert items == [["1", "a\nb", "c"], ["4", "x", "y"]]
    assert aside == [
        {"file": str(path), "line_number": 4, "reason": "expected 3 columns, found 2", "line": "2,x"},
        {"file": str(path), "line_number": 5, "reason": "expected 3 columns, found 4", "line": "3,x,y,z"},
    ]


def test_bytes_that_are_not_in_the_encoding_set_their_row_aside(path):
    content = b'id,name,city\n1,Ren\xe9,Paris\n2,Ann,"Ro\nme \xff"\n3,Ren\xc3\xa9,Paris\n'
    items, aside, _ = take_in(path, content)
    assert items == [["3", "René", "Paris"]]
    assert [(row["line_number"], row["line"]) for row in aside] == [
        (2, "1,Ren\\xe9,Paris"),
        (3, '2,Ann,"Ro\nme \\xff"'),
    ]
    assert "byte 0xe9 is not utf-8" in aside[0]["reason"]
    assert "input.encoding" in aside[0]["reason"]


def test_a_broken_utf_16_file_loses_only_the_broken_row(path):
    text = "id,name,city\n1,Ann,Rome\n2,B#b,Oslo\n3,Zoë,Bonn\n".encode("utf-16")
    lone = text.replace("#".encode("utf-16-le"), b"\x00\xd8")
    items, aside, _ = take_in(path, lone)
    assert items == [["1", "Ann", "Rome"], ["3", "Zoë", "Bonn"]]
    assert [row["line_number"] for row in aside] == [3]
    cut_short = take_in(path, text[:-1])[1]
    assert [row["line_number"] for row in cut_short] == [4]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("named", ["utf-8", "cp1252", "utf-16"])
def test_a_byte_order_mark_says_the_encoding_whatever_was_named(path, encoding, named):
    content = "\ufeffid,name,city\n1,René,東京\n".encode(encoding)
    assert take_in(path, content, encoding=named)[0] == [["1", "René", "東京"]]
    assert read_header(path, "csv", named) == COLUMNS
    assert take_in(path, "\ufeff".encode(encoding) + content)[0] == [["1", "René", "東京"]]


def test_a_mark_that_its_encoding_does_not_drop_is_no_part_of_the_header(path):
    content = "\ufeffid,name,city\n1,a,b\n".encode("gb18030")
    assert take_in(path, content, encoding="gb18030")[0] == [["1", "a", "b"]]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "shift_jis", "utf-16-le"])
def test_a_named_encoding(path, encoding):
    name = "山田" if encoding == "shift_jis" else "René"
    content = f"id,name,city\n1,{name},x\n".encode(encoding)
    assert take_in(path, content, encoding=encoding)[0] == [["1", name, "x"]]


@pytest.mark.parametrize("encoding", ["klingon", "hex", "", "a\0b"])
def test_an_unknown_encoding_is_refused(path, encoding):
    with pytest.raises(MistakesError, match="no text encoding"):
        take_in(path, b"id,name,city\n", encoding=encoding)


def test_a_nul_byte_sets_its_row_aside(path):
    items, aside, _ = take_in(path, b'id,name,city\n1,"A\0\nn",x\n2,Bob,y\n')
    assert items == [["2", "Bob", "y"]]
    assert aside[0]["line"] == '1,"A\0\nn",x'
    assert "NUL" in aside[0]["reason"]


def test_utf_16_without_a_mark_is_refused_with_the_way_out(path):
    with pytest.raises(MistakesError, match=r"input\.encoding=utf-16"):
        take_in(path, "id,name,city\n1,a,b\n".encode("utf-16-le"))


def test_an_unclosed_quote_sets_aside_all_it_swallowed_and_says_where_it_opened(path):
    swallowed = b'2,"two\nlines","never ""closed""\n3,x,y\n4,""z"",y\n'
    items, aside, counts = take_in(path, b"id,name,city\n1,Ann,Rome\n" + swallowed)
    assert items == [["1", "Ann", "Rome"]]
    assert counts == IngestCounts(1, 1, 0)
    assert aside[0]["line_number"] == 3
    assert aside[0]["line"] == swallowed.decode().rstrip("\n")
    assert "line 4 is never closed" in aside[0]["reason"]


def test_a_quote_that_closes_too_early_does_not_stop_the_rest(path):
    items, aside, _ = take_in(path, b'id,name,city\n1,"A"nn,x\n2,"open,y\n3,"Ann",z\n4,Bob,w\n')
    assert items == [["4", "Bob", "w"]]
    assert [(row["line_number"], row["line"]) for row in aside] == [
        (2, '1,"A"nn,x'),
        (3, '2,"open,y\n3,"Ann",z'),
    ]
    assert "a quote is neither doubled nor at the end" in aside[0]["reason"]


def test_a_field_of_five_megabytes_is_read(path):
    long = "x" * 5_000_000
    assert take_in(path, f'id,name,city\n1,"{long}",y\n'.encode())[0] == [["1", long, "y"]]


def test_an_unclosed_quote_swallows_no_more_than_the_limit(path, monkeypatch):
    monkeypatch.setattr(module, "FIELD_LIMIT", 100)
    rest = b"".join(b"%d,x,y\n" % number for number in range(50))
    items, aside, _ = take_in(path, b'id,name,city\n1,"open,y\n' + rest)
    assert "field of more than 100 characters" in aside[0]["reason"]
    assert items[-1] == ["49", "x", "y"]
    assert len(aside) == 1
    assert len(aside[0]["line"].splitlines()) - 1 + len(items) == 50


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.csv.bz2"])
def test_compression_is_told_by_the_first_bytes(tmp_path, compress, name):
    content = compress(b"id,name,city\n") + compress("1,René,Rome\n".encode())
    assert take_in(tmp_path / name, content)[0] == [["1", "René", "Rome"]]
    assert read_header(tmp_path / name, "csv") == COLUMNS


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress])
def test_a_compressed_file_cut_short_is_refused_by_name(path, compress):
    content = compress(b"id,name,city\n" + b"".join(b"%d,x%d,y\n" % (n, n * n) for n in range(100_000)))
    with pytest.raises(
        MistakesError, match=r"customers: cannot be read past line \d+.*\n  The file is damaged"
    ):
        take_in(path, content[:-20])
    with pytest.raises(MistakesError, match="damaged"):
        take_in(path, content[:12])


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"id,name,id,name", "line 1: more than one column is named 'id', 'name'"),
        (b"id, name,name", "named 'name'"),
        (b"id,,name,", "no name for column 2, 4"),
        (b"id,na\xefve", "header cannot be read: byte 0xef"),
        (b'id,"name', "quote opened on line 1 is never closed"),
        (b"", "no header: the file is empty"),
        (b"\n\r\n", "no header: the file is empty"),
    ],
)
def test_a_header_that_cannot_name_columns_is_refused(path, header, message):
    path.write_bytes(header + b"\n" if header else b"")
    with pytest.raises(MistakesError, match=f"customers.*{message}"):
        read_header(path, "csv")
    with pytest.raises(MistakesError, match=message):
        ingest(path, "csv", "utf-8", "", ["id"], io.BytesIO(), io.BytesIO())


def test_a_file_with_only_a_header_has_no_records(path):
    assert take_in(path, b"id,name,city\n") == ([], [], IngestCounts(0, 0, 0))
    assert take_in(path, b"id, name ,city")[2] == IngestCounts(0, 0, 0)


def test_a_folder_and_an_absent_file_are_refused(tmp_path):
    with pytest.raises(MistakesError, match="a folder"):
        read_header(tmp_path, "csv")
    with pytest.raises(MistakesError, match=r"absent\.csv: cannot be read: No such file"):
        read_header(tmp_path / "absent.csv", "csv")


def test_an_unknown_format_is_refused_with_the_known_ones(path):
    with pytest.raises(MistakesError, match=r"(?s)'parquet'.*csv, tsv, jsonl, lines"):
        take_in(path, b"", "parquet")


def test_the_sample_is_the_first_good_rows(path):
    path.write_bytes(b"id,name\n1,a\n2\n\n3,c\n4,d\n")
    assert sample_rows(path, "csv", count=2) == [["1", "a"], ["3", "c"]]
    assert sample_rows(path, "csv") == [["1", "a"], ["3", "c"], ["4", "d"]]
    path.write_bytes(b'{"b": 1}\n{"a": 2}\n')
    assert sample_rows(path, "jsonl") == [["1", ""], ["", "2"]]
    path.write_bytes(b"1,a\n2,b,c\n")
    assert sample_rows(path, "lines") == [["1", "a"], ["2", "b", "c"]]


def test_json_values_keep_their_text(path):
    content = (
        b'{"id": 12345678901234567890123, "name": 1.50, "city": 1e400}\r\n'
        b'{"id": true, "name": null, "city": -0}\n'
        b'{"id": {"a": [1, 2.0, "x\\"y", null, false], "b": {}}, "name":"","city":"\\ud83d\\ude00\\u00e9"}\n'
    )
    items, aside, _ = take_in(path, content, "jsonl")
    assert aside == []
    assert items == [
        ["12345678901234567890123", "1.50", "1e400"],
        ["true", "", "-0"],
        ['{"a":[1,2.0,"x\\"y",null,false],"b":{}}', "", "😀é"],
    ]


@given(
    value=st.recursive(
        st.booleans()
        | st.none()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text('aé"\\'),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("ké", min_size=1), inner),
    )
)
def test_nested_json_is_compact_json_of_the_same_value(tmp_path_factory, value):
    content = json.dumps({"id": [value]}).encode()
    [[item]], _, _ = take_in(tmp_path_factory.mktemp("t") / "a", content, "jsonl", columns=["id"])
    assert json.loads(item) == [value]
    assert item == json.dumps([value], ensure_ascii=False, separators=(",", ":"))


def test_json_columns_are_the_keys_of_all_objects_in_order(path):
    path.write_bytes(b'{"b": 1, "a": 2}\n\nbad\n{"c": 1, "a": 2}\n')
    assert read_header(path, "jsonl") == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id": 1', "not JSON"),
        (b'{"id": NaN}', "NaN"),
        (b'{"id": 1} {"id": 2}', "not JSON: Extra data at character 11"),
        (b"[1, 2]", "not an object"),
        (b"5", "not an object"),
        (b'{"id": "\\ud800"}', "\\ud800 by itself"),
        (b'{"id": "a\\u0000b"}', "\\u0000"),
        (b'{"id": ["\\udc80"]}', "\\udc80 by itself"),
        (b'{"\\ud800": 1}', "cannot name a column"),
        (b'{"": 1}', "cannot name a column"),
        (b'{"id": 1, "id": 2}', "'id' is there twice"),
        (b'{"id": "\xe9"}', "byte 0xe9 is not utf-8"),
        (b'{"id": "a\0"}', "NUL"),
        (b'{"id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too deeply"),
    ],
)
def test_a_bad_json_line_is_set_aside_and_the_rest_goes_on(path, line, reason):
    items, aside, counts = take_in(path, b'{"id": 0}\n\n' + line + b'\n{"id": 9}\n', "jsonl", columns=["id"])
    assert items == [["0"], ["9"]]
    assert counts == IngestCounts(2, 1, 1)
    assert aside[0]["line_number"] == 3
    assert reason in aside[0]["reason"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b'[{"id": 1},\n {"id": 2}]\n', r"a JSON array, not lines\n.*jq"),
        (b'{\n"id": 1\n}\n', "no line is a JSON object"),
    ],
)
def test_json_that_is_not_lines_is_refused_with_the_way_out(path, content, message):
    path.write_bytes(content)
    with pytest.raises(MistakesError, match=message):
        read_header(path, "jsonl")


def test_lines_in_another_encoding_are_split_as_the_jobs_split_them(path):
    content = "1::René::Orlé\rans\r\n\r\n2::\x85\u2028x::\n3::a\n".encode("utf-16")
    items, aside, counts = take_in(path, content, "lines", delimiter="::")
    assert items == [["1", "René", "Orlé\rans"], ["2", "\x85\u2028x", ""]]
    assert [(row["line_number"], row["reason"]) for row in aside] == [(4, "expected 3 columns, found 2")]
    assert counts.blank == 1
    items, _, _ = take_in(path, b"1,Ren\xe9\n2\n", "lines", encoding="latin-1", columns=[])
    assert items == [["1", "René"], ["2"]]


def test_lines_that_cannot_be_decoded_or_split_are_named(path):
    items, aside, _ = take_in(path, b"1,a,b\n2,\xff\n3,\0,b\n4,a,b\n", "lines")
    assert [item[0] for item in items] == ["1", "4"]
    assert [row["line"] for row in aside] == ["2,\\xff", "3,\0,b"]
    assert "0xff" in aside[0]["reason"]
    with pytest.raises(MistakesError, match="not a regular expression"):
        take_in(path, b"", "lines", delimiter="(")
    with pytest.raises(MistakesError, match="lines have no header"):
        read_header(path, "lines")


def test_rows_are_streamed(path):
    """The first record is written long before the last row is read."""

    class Stop(Exception):
        pass

    class Full(io.BytesIO):
        def write(self, _):
            raise Stop

    path.write_bytes(gzip.compress(b"id\n1\n" + b"2\n" * 1_000_000)[:1000])
    with pytest.raises(Stop):
        ingest(path, "csv", "utf-8", "", ["id"], Full(), io.BytesIO())

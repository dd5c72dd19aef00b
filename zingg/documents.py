"""Phase generateDocs: pages of a model for people, docs/model.html and docs/data.html.

Whatever stands in records is shown as text, never taken for HTML.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pehchan.console.side_by_side import changed_spans
from pehchan.learning.labels import MATCH, MODEL_FILE, NO_MATCH, UNSURE
from pehchan.learning.whole_files import write_whole
from pehchan.zingg.configuration import DONT_USE
from pehchan.zingg.extras import library
from pehchan.zingg.labelling import NAMES, shown
from pehchan.zingg.marking import Marking, Pair, counts
from pehchan.zingg.model_shown import agreements, read_model

if TYPE_CHECKING:
    from pehchan.zingg.running import Run
    from pehchan.zingg.sources import Sources

_KINDS = {MATCH: "yes", NO_MATCH: "no", UNSURE: "unsure"}
_PAGES = (("Model", "model.html"), ("Data", "data.html"))

#: A part of a value, and whether it differs.
Part = tuple[str, bool]


def generate_docs(run: "Run") -> str:
    """Write both pages."""
    # First, so that it is told at once where it is missing.
    library("jinja2")
    folder = run.folder / "docs"
    pages = {"model.html": _model_page(run), "data.html": _data_page(run, run.read())}
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in pages.items():
        write_whole(folder / name, _page(run, name, values).encode())
    return f"Look at it in a browser: {folder / 'model.html'} and {folder / 'data.html'}"


def _page(run: "Run", name: str, values: dict[str, Any]) -> str:
    jinja = library("jinja2")
    environment = jinja.Environment(
        loader=jinja.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja.StrictUndefined,
    )
    return str(
        environment.get_template(name).render(model_id=run.configuration.model_id, pages=_PAGES, **values)
    )


def _model_page(run: "Run") -> dict[str, Any]:
    marking = Marking(run.training_data)
    found = counts(marking.marked)
    model = read_model(run) if (run.model / MODEL_FILE).exists() else None
    fields = _fields(run, marking.fields)
    return {
        "title": "What was labelled and learnt",
        "counts": [
            ("pairs labelled", len(marking.marked), ""),
            *((NAMES[answer].lower(), count, _KINDS[answer]) for answer, count in found.items()),
            ("pairs wait", len(marking.waiting), ""),
        ],
        "model": model,
        "agreements": agreements(model) if model else [],
        "fields": fields,
        "pairs": [_shown_pair(pair, fields) for pair in marking.marked],
    }


def _fields(run: "Run", there: Sequence[str]) -> list[str]:
    """The fields that are shown, of those that are there."""
    concise = run.configuration.show_concise
    hidden = {each.name for each in run.configuration.fields if concise and not each.match_types}
    return [name for name in there if name not in hidden]


def _shown_pair(pair: Pair, fields: Sequence[str]) -> dict[str, Any]:
    first, second = ([shown(row.get(name)) for name in fields] for row in pair.rows)
    probability = pair.probability
    return {
        "cluster": pair.cluster,
        "answer": NAMES[pair.answer].lower() if pair.answer in NAMES else "",
        "kind": _KINDS.get(pair.answer, ""),
        "score": "" if probability is None else f"{int(100 * probability) / 100:.2f}",
        "records": [
            [[(value, False)] for value in first],
            [
                list(_parts(value, changed_spans(one, value)))
                for one, value in zip(first, second, strict=True)
            ],
        ],
    }


def _parts(value: str, spans: Sequence[tuple[int, int]]) -> Iterator[Part]:
    at = 0
    for start, end in spans:
        yield value[at:start], False
        yield value[start:end], True
        at = end
    yield value[at:], False


def _data_page(run: "Run", sources: "Sources") -> dict[str, Any]:
    definitions = {each.name: each for each in run.configuration.fields}
    schema = sources.schema(run.configuration.fields)
    there = _values(sources)
    names = list(schema.names)
    if run.configuration.show_concise:
        names = [name for name in names if name in definitions and definitions[name].match_types]
    columns = []
    for name in names:
        definition = definitions.get(name)
        types = definition.match_types if definition else ()
        columns.append(
            {
                "name": name,
                "type": definition.data_type if definition else str(schema.field(name).type),
                "used": bool(types),
                "how": ", ".join(types)
                or (DONT_USE if definition else "no field: left out of the comparison"),
                "coverage": there[name] / sources.rows,
            }
        )
    return {
        "title": "The data",
        "records": sources.rows,
        "pipes": [
            (each.pipe.name, each.pipe.format, _place(each.pipe.props), each.rows) for each in sources.each
        ],
        "columns": columns,
    }


def _place(props: Any) -> str:
    # Not all props: some hold passwords, and so may a url.
    return next((props[key] for key in ("location", "path", "dbtable", "table") if key in props), "")


def _values(sources: "Sources") -> Counter[str]:
    """How many records have a value, by column."""
    pa, compute = library("pyarrow"), library("pyarrow.compute")
    found: Counter[str] = Counter()
    for source in sources.each:
        for _, batch in source.batches():
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                count = len(column) - column.null_count
                if pa.types.is_string(column.type):
                    count = (
                        compute.sum(compute.not_equal(compute.utf8_trim_whitespace(column), "")).as_py() or 0
                    )
                found[name] += count
    return found

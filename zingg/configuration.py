"""What a run in Zingg's words is asked for: where records come from and go to, and how their fields compare."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Column:
    """A column of a pipe.

    data_type  as Spark's schema strings name it, in lower case: string, integer, long, double, date, boolean, …
    """

    name: str
    data_type: str = "string"


@dataclass(frozen=True)
class Pipe:
    """Where records come from or go to.

    name    of the source, as z_zsource has it
    format  csv, tsv, json, parquet, excel, jdbc, … in lower case
    props   path or location, delimiter, header, url, dbtable, … as they were given
    schema  the columns in their order, None: as the source itself says
    mode    of an output: append, overwrite, error or ignore
    where   file and key, for messages
    """

    name: str
    format: str
    props: Mapping[str, str] = field(default_factory=dict)
    schema: tuple[Column, ...] | None = None
    mode: str = "append"
    where: str = field(default="", compare=False)


@dataclass(frozen=True)
class FieldDefinition:
    """A field of the records, and how it is compared.

    match_types  names of match_types.MATCH_TYPES, in upper case
    stop_words   path of a file of words to leave out, None for none
    where        file and key, for messages
    """

    name: str
    match_types: tuple[str, ...]
    data_type: str = "string"
    stop_words: str | None = None
    where: str = field(default="", compare=False)


@dataclass(frozen=True)
class Configuration:
    """All that a phase is asked for.

    fields              in their order, also those that are not used
    label_sample_size   share of the records that training pairs are sought in, in (0, 1]
    stop_words_cutoff   share of all words of a column from which a word is one to leave out, in (0, 1)
    column              that `recommend` looks at
    show_concise        whether documents leave fields out that are not used
    """

    fields: tuple[FieldDefinition, ...]
    data: tuple[Pipe, ...]
    output: tuple[Pipe, ...] = ()
    training_samples: tuple[Pipe, ...] = ()
    model_id: str = "1"
    zingg_dir: str = "zingg"
    label_sample_size: float = 0.01
    stop_words_cutoff: float = 0.1
    column: str | None = None
    show_concise: bool = False

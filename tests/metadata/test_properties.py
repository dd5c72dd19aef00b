import dataclasses
import json
from pathlib import Path

import pytest

from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.properties import KEYS, Settings, describe_keys, read_settings

GOLDEN = Path(__file__).parents[1] / "golden"


def read(tmp_path, text, *overrides):
    """The settings of a properties file with this text, its mistakes and its warnings."""
    path = tmp_path / "job.properties"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("iso-8859-1"))
    mistakes = Mistakes()
    settings = read_settings(str(path), overrides, mistakes)
    return settings, mistakes.found, mistakes.warnings


def read_well(tmp_path, text, *overrides):
    settings, found, warnings = read(tmp_path, text, *overrides)
    assert (found, warnings) == ([], [])
    return settings


def the_mistake(tmp_path, text, *overrides):
    _, found, _ = read(tmp_path, text, *overrides)
    assert len(found) == 1, found
    return found[0]


def test_without_a_file_all_is_default():
    mistakes = Mistakes()
    assert read_settings(None, [], mistakes) == Settings()
    assert mistakes == Mistakes()


def test_every_key_of_sifarish_sets_its_attribute(tmp_path):
    settings = read_well(
        tmp_path,
        """
        sts.same.schema.file.path=conf/customer.json
        sts.bucket.count=16
        sts.distance.scale=500
        sts.dist.threshold=120
        sts.base.set.split.prefix=old
        sts.mixed.in.sets=true
        sts.set.ID.size=2
        sts.faceted.field.ordinal=1, 3
        sts.include.passive.fields=TRUE
        sts.extra.output.field=5
        sts.output.record=false
        sts.output.id.first=false
        sts.sub.field.delim.regex=/
        sts.auto.generate.id=true
        sts.num.reducer=3
        field.delim.regex=[|]
        field.delim=;
        edit.dist.token=false
        debug.on=true
        """,
    )
    assert settings == Settings(
        schema_path="conf/customer.json",
        bucket_count=16,
        scale=500,
        cutoff=120,
        base_prefix="old",
        same_id=True,
        set_id_size=2,
        faceted=(1, 3),
        passive_fields=True,
        extra_fields=(5,),
        ids_first=False,
        sub_delimiter="/",
        auto_id=True,
        reducers=3,
        input_delimiter="[|]",
        output_delimiter=";",
        edit_tokens=False,
        debug=True,
    )
    assert read_well(tmp_path, "sts.inter.set.matching=true").two_sets
    assert read_well(tmp_path, "sts.output.record=true").output_record


def test_every_key_of_our_own_sets_its_attribute(tmp_path):
    settings = read_well(
        tmp_path,
        "sifarish.compat=true\nsifarish.id.counted=true\nrejected.max.share=0.5\ncluster.cutoff=90\n"
        "input.format=CSV\ninput.encoding=latin-1\nbucket.records=10\nbatch.bytes=99\n",
    )
    assert settings == Settings(
        compat=True,
        id_counted=True,
        rejected_max_share=0.5,
        cluster_cutoff=90,
        input_format="csv",
        input_encoding="latin-1",
        bucket_records=10,
        batch_bytes=99,
    )


@pytest.mark.parametrize(
    ("old", "attribute", "value", "expected"),
    [
        ("same.schema.file.path", "schema_path", "a.json", "a.json"),
        ("bucket.count", "bucket_count", "50", 50),
        ("distance.scale", "scale", "100", 100),
        ("dist.threshold", "cutoff", "7", 7),
        ("faceted.field.ordinal", "faceted", "1,2", (1, 2)),
        ("include.passive.fields", "passive_fields", "true", True),
        ("output.id.first", "ids_first", "false", False),
        ("sub.field.delim.regex", "sub_delimiter", ";", ";"),
        ("num.reducer", "reducers", "2", 2),
        ("set.ID.size", "set_id_size", "1", 1),
        ("base.set.split.prefix", "base_prefix", "x", "x"),
        ("extra.output.field", "extra_fields", "4", (4,)),
        ("output.record", "output_record", "true", True),
        ("auto.generate.id", "auto_id", "true", True),
    ],
)
def test_older_names_of_sifarish_are_read(tmp_path, old, attribute, value, expected):
    assert getattr(read_well(tmp_path, f"{old}={value}"), attribute) == expected


def test_inter_set_matching_of_2013_joins_equal_ids_and_says_so(tmp_path):
    settings, found, warnings = read(tmp_path, "inter.set.matching=true\nset.ID.size=1")
    assert not found
    assert (settings.same_id, settings.two_sets, settings.set_id_size) == (True, False, 1)
    assert "sts.mixed.in.sets" in warnings[0].what
    assert warnings[0].where.endswith("job.properties line 1")


def test_inter_set_matching_of_2014_joins_two_sets(tmp_path):
    settings, found, warnings = read(tmp_path, "inter.set.matching=true\nmixed.in.sets=false")
    assert not found
    assert (settings.same_id, settings.two_sets) == (False, True)
    assert "sts.inter.set.matching" in warnings[0].what


@pytest.mark.parametrize("order", [1, -1])
def test_the_newer_name_wins_over_the_older_and_a_warning_says_so(tmp_path, order):
    lines = ["num.reducer=1", "sts.num.reducer=2"][::order]
    settings, found, warnings = read(tmp_path, "\n".join(lines))
    assert not found
    assert settings.reducers == 2
    assert "num.reducer=1 is not used" in warnings[0].what
    assert "line 1" in str(warnings[0])
    assert "line 2" in str(warnings[0])


def test_the_last_of_two_equal_keys_wins_and_a_warning_says_so(tmp_path):
    settings, found, warnings = read(tmp_path, "debug.on=false\ndebug.on=true")
    assert not found
    assert settings.debug
    assert warnings[0].where.endswith("line 1")


def test_an_override_wins_over_the_file_whatever_the_names(tmp_path):
    settings = read_well(tmp_path, "sts.bucket.count=1\nfield.delim=;", "bucket.count=9", "field.delim=\\t")
    assert settings.bucket_count == 9
    assert settings.output_delimiter == "\t"


def test_a_blank_override_brings_back_the_default(tmp_path):
    assert read_well(tmp_path, "sts.dist.threshold=5", "sts.dist.threshold=").cutoff is None


def test_an_override_is_named_in_its_mistakes(tmp_path):
    mistake = the_mistake(tmp_path, "", "sts.bucket.count=none")
    assert mistake.where == "-D sts.bucket.count"
    mistake = the_mistake(tmp_path, "", "sts.bucket.count")
    assert (mistake.where, mistake.right) == ("-D sts.bucket.count", "Give -D key=value.")


def test_blank_values_are_defaults(tmp_path):
    text = "".join(f"{key.name}=\n" for key in KEYS.values())
    assert read_well(tmp_path, text) == Settings()


def test_java_properties_syntax(tmp_path):
    settings = read_well(
        tmp_path,
        "# one\n! two\n\nsts.bucket.count : 3\nsts.same.schema.file.path   sch\\u00e9ma\\\n   .json\n"
        "field.delim=\\t\nfield.delim.regex=\\\\s\nsts.base.set.split.prefix=caf\xe9",
    )
    assert settings.bucket_count == 3
    assert settings.schema_path == "schéma.json"
    assert settings.output_delimiter == "\t"
    assert settings.input_delimiter == r"\s"
    assert settings.base_prefix == "café"


def test_blanks_belong_to_delimiters_and_to_nothing_else(tmp_path):
    settings = read_well(tmp_path, "field.delim=\\ \nfield.delim.regex=, \nsts.num.reducer=\\ 4 \n")
    assert settings.output_delimiter == " "
    assert settings.input_delimiter == ", "
    assert settings.reducers == 4


def test_line_numbers_count_continued_lines_and_any_line_end(tmp_path):
    text = "# a\r\nsts.base.set.split.prefix=x\\\r\n  y\r\n\rsts.bucket.count=zero\n"
    assert the_mistake(tmp_path, text).where.endswith("job.properties line 5")


def test_utf8_in_a_properties_file_is_warned_of(tmp_path):
    settings, found, warnings = read(tmp_path, "sts.base.set.split.prefix=é".encode())
    assert not found
    assert settings.base_prefix == "Ã©"
    assert "ISO-8859-1" in warnings[0].what


def test_a_bad_escape_is_named_with_its_line(tmp_path):
    mistake = the_mistake(tmp_path, "debug.on=true\nfield.delim=\\u00g1\n")
    assert mistake.where.endswith("line 2")
    assert "\\u00g1" in mistake.what


@pytest.mark.parametrize("name", ["absent.properties", "."])
def test_a_file_that_cannot_be_read_is_a_mistake(tmp_path, name):
    mistakes = Mistakes()
    read_settings(str(tmp_path / name), [], mistakes)
    assert "cannot be read" in mistakes.found[0].what
    assert mistakes.found[0].where == str(tmp_path / name)


@pytest.mark.parametrize(
    ("line", "accepted"),
    [
        ("sts.bucket.count=0", "whole number of 1 or more"),
        ("sts.bucket.count=1.5", "whole number of 1 or more"),
        ("sts.bucket.count=1_0", "whole number of 1 or more"),
        ("sts.distance.scale=0", "whole number of 1 or more"),
        ("sts.dist.threshold=-1", "whole number of 0 or more"),
        ("sts.set.ID.size=-1", "whole number of 0 or more"),
        ("sts.num.reducer=0", "whole number of 1 or more"),
        ("bucket.records=0", "whole number of 1 or more"),
        ("batch.bytes=0", "whole number of 1 or more"),
        ("debug.on=yes", "true or false"),
        ("sts.faceted.field.ordinal=1,-2", "column numbers from 0"),
        ("sts.faceted.field.ordinal=name", "column numbers from 0"),
        ("sts.extra.output.field=1,", "column numbers from 0"),
        ("rejected.max.share=1.1", "number from 0 to 1"),
        ("rejected.max.share=nan", "number from 0 to 1"),
        ("input.format=xml", "auto, lines, csv, tsv, jsonl"),
        ("input.encoding=utf-9", "name of a text encoding"),
        ("input.encoding=rot13", "name of a text encoding"),
        ("field.delim.regex=[", "regular expression"),
        ("field.delim.regex=,*", "regular expression"),
        ("sts.sub.field.delim.regex=(", "regular expression"),
        ("field.delim=\\n", "text without a line end"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_what_can(tmp_path, line, accepted):
    mistake = the_mistake(tmp_path, "# first\n" + line)
    assert mistake.where == f"{tmp_path}/job.properties line 2"
    assert mistake.what.startswith(line.split("=")[0] + "=")
    assert accepted in mistake.what


def test_a_regex_says_what_is_wrong_with_it(tmp_path):
    assert "matches the empty string" in the_mistake(tmp_path, "field.delim.regex=,*").right


def test_an_unknown_key_is_a_mistake_with_the_nearest_known_one(tmp_path):
    mistake = the_mistake(tmp_path, "sts.bucket.cuont=3")
    assert mistake.where.endswith("line 1")
    assert mistake.what == "unknown key sts.bucket.cuont."
    assert mistake.right == 'Did you mean "sts.bucket.count"?'


def test_an_unknown_key_in_other_letters_finds_its_known_one(tmp_path):
    assert the_mistake(tmp_path, "STS.BUCKET.COUNT=3").right == 'Did you mean "sts.bucket.count"?'


@pytest.mark.parametrize("share", ["0", "1", "1e-3"])
def test_shares_from_0_to_1_are_read(tmp_path, share):
    assert read_well(tmp_path, f"rejected.max.share={share}").rejected_max_share == float(share)


def test_an_unknown_key_near_none_is_a_mistake_with_all_known_ones(tmp_path):
    right = the_mistake(tmp_path, "golden.class=org.sifarish").right
    assert all(key.name in right for key in KEYS.values())


@pytest.mark.parametrize(
    "key", ["dts.bucket.count", "tom.top.match.count", "tea.text.language", "text.country"]
)
def test_keys_of_other_jobs_are_warned_of(tmp_path, key):
    settings, found, warnings = read(tmp_path, f"{key}=1")
    assert (settings, found) == (Settings(), [])
    assert "another sifarish job" in warnings[0].what


@pytest.mark.parametrize("key", ["mapreduce.map.maxattempts", "mapred.job.name", "fs.defaultFS", "yarn.x"])
def test_keys_of_hadoop_are_warned_of(tmp_path, key):
    settings, found, warnings = read(tmp_path, f"{key}=1")
    assert (settings, found) == (Settings(), [])
    assert "Hadoop" in warnings[0].what


def test_minus_one_as_output_field_is_none_with_a_warning(tmp_path):
    settings, found, warnings = read(tmp_path, "sts.extra.output.field=-1")
    assert not found
    assert settings.extra_fields == ()
    assert "read as no column" in warnings[0].what


def test_a_threshold_above_the_scale_is_a_mistake(tmp_path):
    mistake = the_mistake(tmp_path, "sts.distance.scale=100\nsts.dist.threshold=101")
    assert mistake.where.endswith("line 2")
    assert mistake.what == "sts.dist.threshold=101 is above sts.distance.scale=100."
    assert "from 0 to 100" in mistake.right
    assert read_well(tmp_path, "sts.distance.scale=100\nsts.dist.threshold=100").cutoff == 100
    assert "from 0 to 1000" in the_mistake(tmp_path, "cluster.cutoff=1001").right


def test_compat_allows_a_threshold_above_the_scale(tmp_path):
    settings, found, warnings = read(tmp_path, "sts.dist.threshold=1100\nsifarish.compat=true")
    assert (settings.cutoff, found, len(warnings)) == (1100, [], 1)


def test_clusters_cannot_reach_farther_than_pairs(tmp_path):
    mistake = the_mistake(tmp_path, "sts.dist.threshold=100\ncluster.cutoff=101")
    assert mistake.where.endswith("line 2")
    assert "from 0 to 100" in mistake.right
    assert read_well(tmp_path, "sts.dist.threshold=100\ncluster.cutoff=100").cluster_cutoff == 100


def test_two_joins_at_once_are_a_mistake(tmp_path):
    text = "sts.inter.set.matching=true\nsts.mixed.in.sets=true\nsts.set.ID.size=1"
    assert "both true" in the_mistake(tmp_path, text).what


def test_ids_without_a_set_in_front_are_a_mistake(tmp_path):
    mistake = the_mistake(tmp_path, "sts.mixed.in.sets=true")
    assert "sts.set.ID.size" in mistake.right


def test_extra_fields_win_over_whole_records(tmp_path):
    settings, found, warnings = read(tmp_path, "sts.output.record=true\nsts.extra.output.field=2")
    assert not found
    assert (settings.extra_fields, settings.output_record) == ((2,), False)
    assert "wins over it" in warnings[0].what


def test_all_mistakes_are_said_at_once_and_only_those(tmp_path):
    text = "sts.distance.scale=none\nsts.dist.threshold=5000\nsts.mixed.in.sets=true\nsts.set.ID.size=x\na=b"
    _, found, _ = read(tmp_path, text)
    assert [mistake.what.split("=")[0] for mistake in found] == [
        "unknown key a.",
        "sts.distance.scale",
        "sts.set.ID.size",
    ]


def test_settings_survive_json():
    settings = Settings(faceted=(1, 2), extra_fields=(3,), cutoff=5, rejected_max_share=0.25)
    assert Settings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
    assert Settings.from_dict(json.loads(json.dumps(Settings().to_dict()))) == Settings()


def test_the_table_of_keys_names_every_key_once():
    text = describe_keys()
    for field in dataclasses.fields(Settings):
        key = KEYS[field.name]
        assert text.count(f"| `{key.name}` |") == 1
        assert key.meaning in text
    assert "| `sts.distance.scale` | `distance.scale` | a whole number of 1 or more | `1000` |" in text


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*/job.properties")), ids=lambda path: path.parent.name)
def test_the_properties_of_every_golden_case_are_read(path, tmp_path):
    # golden.class is not sifarish's: it names the job of the case.
    lines = [line for line in path.read_text().splitlines() if not line.startswith("golden.class")]
    settings, found, _ = read(tmp_path, "\n".join(lines))
    assert not found
    assert settings.schema_path == "schema.json"
    assert settings.bucket_count in (1, 10, 16)


def test_what_golden_cases_ask_for_beside_the_usual(tmp_path):
    def golden(case):
        return read(tmp_path, (GOLDEN / case / "job.properties").read_text())[0]

    usual = golden("same_customer_40_full")
    assert usual == Settings(
        schema_path="schema.json", bucket_count=16, reducers=1, input_delimiter=",", output_delimiter=","
    )

    def asks(**more):
        return dataclasses.replace(usual, **more)

    assert golden("same_out_extra") == asks(extra_fields=(1, 6))
    assert golden("same_out_record") == asks(output_record=True)
    assert golden("same_out_idlast") == asks(ids_first=False)
    assert golden("same_prod_shipped_blank_threshold") == usual
    assert golden("crash_prod_shipped_extra_minus1") == usual
    assert golden("same_default_delims") == asks(input_delimiter=None)
    assert golden("same_delim_pipe") == asks(input_delimiter="[|]", output_delimiter=";")
    assert golden("same_subdelim") == asks(sub_delimiter="/")
    assert golden("same_auto_id") == asks(auto_id=True)
    assert golden("inter_customer") == asks(two_sets=True)
    assert golden("mixed_in_sets_blog_names") == asks(same_id=True, set_id_size=1)
    assert golden("crash_prod_partition_reducers2") == asks(reducers=2)

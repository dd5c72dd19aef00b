"""What a person sees at the end of a run."""

import shlex

from pehchan.console.output import ENTITIES, REPORT
from pehchan.console.pipeline import Result, pairs_to_compare
from pehchan.identity.golden_records import UNREAD
from pehchan.metadata.schemas import native_text
from pehchan.mrjobs.joins.blocking import is_order, is_part
from pehchan.mrjobs.places import Place


def summary(result: Result, out: Place) -> str:
    """The counts of a run in a few lines."""
    counts = result.counts
    lines = []
    read, rejected = counts["Records", "Read"], counts["Records", "Rejected"]
    if read or rejected or result.plan is not None:
        text = f"{read:,} records read"
        if rejected:
            text += f", {rejected:,} lines set aside ({out / 'rejected'})"
        lines.append(text)
    if counts["Pairs", "Rejected"]:
        lines.append(f"{counts['Pairs', 'Rejected']:,} lines of pairs set aside ({out / 'rejected'})")
    if unknown := counts["Clusters", "Records of pairs alone"]:
        lines.append(f"{unknown:,} records of the pairs are not among the records ({out / 'rejected'})")
    for name, what in (("Without id", "had no id and got one"), ("Duplicate id", "had the id of another")):
        if counts["Records", name]:
            lines.append(f"{counts['Records', name]:,} records {what}")
    if counts["Records", "Without blocking key"]:
        without = counts["Records", "Without blocking key"]
        lines.append(f"records without a blocking key, which meet nothing: {without:,}")
    compared, plan = counts["Pairs", "Compared"], result.plan
    most = plan.settings.blocking_max_records if plan is not None else 0
    divided = sum(not is_part(block) for block in plan.divided) if plan is not None else 0
    if divided:
        lines.append(f"blocks of more than {most:,} records, divided by the next key: {divided:,}")
    windows = sum(not is_order(block) for block in plan.ranges) if plan is not None else 0
    if plan is not None and windows:
        lines.append(
            f"blocks of more than {most:,} records, in which each meets the {plan.settings.blocking_window:,} that "
            f"follow: {windows:,}"
        )
    if plan is not None and result.request.command != "cluster":
        seconds = result.seconds.get("compare", 0.0)
        meet = pairs_to_compare(plan, counts)
        # Of pairs that an index finds the others need not be compared.
        among = f" of {meet:,}" if meet is not None and compared < meet else ""
        kept = f"{counts['Pairs', 'Kept']:,} "
        kept += (
            f"at or under {plan.cutoff} of {plan.settings.scale}" if plan.model is None else "likely matches"
        )
        rate = f" ({compared / seconds:,.0f} a second)" if seconds and compared and not among else ""
        took = f" in {seconds:.1f} s" if seconds and compared else ""
        lines.append(f"{compared:,}{among} pairs compared{took}{rate}, {kept}")
    if result.cluster_cutoff is not None:
        clusters, several = counts["Clusters", "All"], counts["Clusters", "Of two or more"]
        records = several + counts["Clusters", "Records that duplicate another"]
        at_cutoff = (
            "" if plan is not None and plan.model is not None else f" at cutoff {result.cluster_cutoff}"
        )
        lines.append(
            f"{clusters:,} clusters{at_cutoff}: {several:,} of two or more records "
            f"({records:,} records), {clusters - several:,} of one"
        )
    if result.decisions:
        same, different = counts["Decisions", "Same"], counts["Decisions", "Different"]
        text = f"{same + different:,} decisions followed: {same:,} same, {different:,} different"
        if absent := counts["Decisions", "Of absent records"]:
            text += f"; {absent:,} of records that are not there"
        lines.append(text)
    if unread := counts["Golden", UNREAD]:
        lines.append(f"dates that cannot be read, and count as older than all others: {unread:,}")
    folders = [
        *(["pairs"] if plan is not None and result.request.command != "cluster" else []),
        *(["clusters", "cluster_shapes"] if result.cluster_cutoff is not None else []),
        *([ENTITIES] if counts["Golden", "Records"] else []),
        *(["rejected"] if rejected or unknown or counts["Pairs", "Rejected"] else []),
    ]
    files = [*([REPORT] if result.reported else []), "run.json"]
    lines.append(f"written to {out}: " + ", ".join([*(f"{name}/" for name in folders), *files]))
    if state := result.request.state:
        held = f"{counts['Records', 'Read']:,} records, {counts['Clusters', 'All']:,} entities"
        later = shlex.join(["pehchan", "update", state, "NEW"])
        lines.append(f"{state} is at version 1: {held}; what comes later: {later}")
    return "\n".join(lines)


def guess_text(result: Result) -> str:
    """The schema that was guessed, and how to keep and change it."""
    assert result.guessed is not None
    text = "".join(f"  {line}\n" for line in native_text(result.guessed).splitlines())
    source = result.request.inputs[0]
    return (
        f"No schema was given; this one was guessed:\n{text}"
        f"To keep and change it: pehchan schema guess {source} > schema.yaml, then run with -s schema.yaml\n"
    )

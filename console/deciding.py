"""pehchan decide: what people say of two records of a state, which from then on wins over any model and rule."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pehchan.clustering.decisions import Decision, check_decisions
from pehchan.console.decided import decisions_of
from pehchan.console.jobs import Jobs, local_folder, prepare_runner
from pehchan.console.output import whole_folder
from pehchan.console.progress import Progress
from pehchan.console.updating import Updated, bring_in, source_of
from pehchan.identity.rows import Source
from pehchan.identity.state import KEPT, open_newest
from pehchan.identity.updating import Batch
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.coded import as_bytes, codes_of
from pehchan.mrjobs.state_lines import KeptMembers, Search


@dataclass
class DecideRequest:
    """What was decided of the records of a state.

    same, different, undo  two ids each: they stand for the same thing, for different ones, or nothing is said
    of them any more
    """

    state: str
    same: Sequence[Sequence[str]] = ()
    different: Sequence[Sequence[str]] = ()
    undo: Sequence[Sequence[str]] = ()
    file: str = ""
    runner: str = "inline"
    conf_path: str | None = None
    keep: int = KEPT


def run_decide(request: DecideRequest, progress: Progress) -> Updated:
    """Keep decisions, and follow them. Raises MistakesError before work starts, RunError or StateChanged after it."""
    mistakes = Mistakes()
    prepare_runner(request.runner, request.conf_path, [request.state], mistakes)
    mistakes.raise_if_any()
    state = open_newest(request.state)
    plan = state.read_plan()
    with local_folder() as here:
        jobs = Jobs(request.runner, request.conf_path, progress)
        with whole_folder(str(here / "decide"), False) as folder, jobs.workplace(folder) as work:
            before = {_pair(each): each for each in map(Decision.in_order, state.read_decisions())}
            given = _given(request, plan, mistakes)
            after, changed = _decided(given, before, mistakes)
            held = set(after.values())
            added = [each for each in changed if each in held]
            _check_known(source_of(state, jobs, work, here), state.manifest.salt, added, mistakes)
            check_decisions(after.values(), mistakes)
            mistakes.raise_if_any()
            decisions = list(after.values())
            batch = Batch(decisions=decisions, decided=changed)
            decided = decisions if after != before else None
            return bring_in(state, plan, batch, jobs, work, here, progress, "decide", request.keep, decided)


Ends = tuple[str, str]


def _pair(decision: Decision) -> Ends:
    """The records of a decision that is in order."""
    return decision.a[1], decision.b[1]


def _given(request: DecideRequest, plan: Plan, mistakes: Mistakes) -> list[tuple[Decision, bool]]:
    """What is decided now, and of each whether it is to hold from now on."""
    found = [(each, True) for each in (decisions_of(request.file, plan, mistakes) if request.file else ())]
    for where, pairs, same, holds in (
        ("--same", request.same, True, True),
        ("--different", request.different, False, True),
        ("--undo", request.undo, False, False),
    ):
        found += [(Decision(("", a), ("", b), same, f"{where} {a} {b}"), holds) for a, b in pairs]
    return [(each.in_order(), holds) for each, holds in found]


def _decided(
    given: Sequence[tuple[Decision, bool]], before: dict[Ends, Decision], mistakes: Mistakes
) -> tuple[dict[Ends, Decision], list[Decision]]:
    """All decisions from now on, and those that are new, or hold no more."""
    after = dict(before)
    asked: dict[Ends, Decision] = {}
    for decision, holds in given:
        pair = _pair(decision)
        if pair[0] == pair[1]:
            mistakes.add(decision.where, "a record and itself.", "Name two records.")
        elif pair in asked and (not holds or asked[pair] != decision):
            mistakes.add(
                decision.where, f"{asked[pair].where} decides of these two as well.", "Say one thing of them."
            )
        elif not holds and pair not in before:
            mistakes.add(decision.where, "nothing was decided of these two.", _known(before))
        asked[pair] = decision
        if holds:
            after[pair] = decision
        else:
            after.pop(pair, None)
    gone = [each for pair, each in before.items() if after.get(pair) != each]
    return after, [*gone, *(each for pair, each in after.items() if before.get(pair) != each)]


def _known(before: dict[Ends, Decision]) -> str:
    if not before:
        return "No decision was ever kept."
    return "Decided so far: " + ", ".join(f"{a} {b}" for a, b in sorted(before)[:10]) + "."


def _check_known(source: Source, salt: int, decided: Sequence[Decision], mistakes: Mistakes) -> None:
    """Add a mistake for each record that is not in the state."""
    ids = sorted({end[1] for each in decided for end in (each.a, each.b)})
    found: dict[str, tuple[int, str]] = {}
    for kept in source.search(KeptMembers, Search.of(codes_of(as_bytes(ids), salt))) if ids else ():
        for record, entity in kept.members():
            found[record] = max(found.get(record, (0, "")), (kept.version, entity))
    for record in ids:
        if not found.get(record, (0, ""))[1]:
            mistakes.add(
                json.dumps(record), "the state has no such record.", "lookup and entities show those it has."
            )

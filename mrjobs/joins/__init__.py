"""Which records meet: one file a join.

A join says which groups a record is in (`groups`), where it goes (`route`, or `routes` where that may be several
places), to which cells a batch of one route is sent (`cells`), and which routes meet in a cell (`meetings`), so that
each pair of records meets exactly once in the whole job. Where a record is in several groups, its batches bring along
which come before, and two records that share one of those met there.
"""

from pehchan.metadata.plan import Plan
from pehchan.mrjobs.joins.all_pairs import AllPairs
from pehchan.mrjobs.joins.blocking import Blocking
from pehchan.mrjobs.joins.same_id import SameId


def join_of(plan: Plan) -> AllPairs:
    """The join that a plan names."""
    schema = plan.schema
    general = plan.sets, schema.partition_ordinal, plan.buckets, plan.default_buckets
    # What is learnt says who meets only once the records are settled, which has no groups.
    if plan.join in ("all_pairs", "learnt"):
        return AllPairs(*general)
    if plan.join == "blocking":
        return Blocking(
            *general,
            schema.blocking,
            plan.compared,
            frozenset(plan.divided),
            plan.shared_cells,
            plan.ranges,
            plan.settings.blocking_window,
        )
    if schema.id_ordinal is None:
        raise ValueError("the same_id join needs a schema with an id field")
    return SameId(*general, schema.id_ordinal, plan.settings.set_id_size)

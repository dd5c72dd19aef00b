"""Which records meet: one file a join.

A join says where a record goes (`route`), to which cells a batch of one route is sent (`cells`), and which
routes meet in a cell (`meetings`), so that each pair of records meets exactly once in the whole job.
"""

from pehchan.metadata.plan import Plan
from pehchan.mrjobs.joins.all_pairs import AllPairs
from pehchan.mrjobs.joins.same_id import SameId


def join_of(plan: Plan) -> AllPairs:
    """The join that a plan names."""
    schema = plan.schema
    general = plan.sets, schema.partition_ordinal, plan.buckets, plan.default_buckets
    if plan.join == "all_pairs":
        return AllPairs(*general)
    if schema.id_ordinal is None:
        raise ValueError("the same_id join needs a schema with an id field")
    return SameId(*general, schema.id_ordinal, plan.settings.set_id_size)

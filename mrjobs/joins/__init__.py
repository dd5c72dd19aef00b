"""Which records meet: one file a join.

A join says where a record goes (`route`), to which cells a batch of one route is sent (`cells`), and which
routes meet in a cell (`meetings`), so that each pair of records meets exactly once in the whole job.
"""

"""Which records meet: one file a join."""

"""What a record is and what was asked of it: schemas, properties, records, plans."""

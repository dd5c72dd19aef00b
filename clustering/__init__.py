"""From pairs to entities: components, and measures against truth."""

"""Entities that last: ids that stay while records come, change and go, and one record to keep of each entity."""

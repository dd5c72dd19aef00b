"""pehchan finds the records that stand for the same person, product or place."""

__version__ = "0.1.0"

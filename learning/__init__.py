"""What labels and counts teach: which keys make records meet, how records of one entity differ, what to ask for."""

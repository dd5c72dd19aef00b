"""What Zingg's users know: its phases, configuration, pipes and Python names, over pehchan's own matching."""

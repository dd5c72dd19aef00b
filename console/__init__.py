"""What people touch: the pehchan command."""

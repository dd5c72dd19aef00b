"""The jobs, one file each, runnable by themselves."""

"""Example properties of jobs, and configurations of mrjob's runners (mrjob/)."""

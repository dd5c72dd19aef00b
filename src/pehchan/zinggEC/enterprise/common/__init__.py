"""Modules that programs for Zingg's enterprise edition import; pehchan.zingg.enterprise has what is in them."""

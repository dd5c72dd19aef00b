"""All of pehchan.zingg.enterprise, under a name that programs for Zingg's enterprise edition import."""

from pehchan.zingg.enterprise import *  # noqa: F403

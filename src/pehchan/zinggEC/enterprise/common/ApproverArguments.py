"""All of pehchan.zingg.enterprise: programs import this module also where they approve nothing (not built)."""

from pehchan.zingg.enterprise import *  # noqa: F403

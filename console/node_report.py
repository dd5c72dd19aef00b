"""Says on a node what its Python is, and whether the jobs can be imported; needs nothing that Python lacks.

out  a line of JSON: node, python, executable, machine, glibc, error
"""

import json
import platform
import sys

JOBS = ("settle_records", "count_parts", "record_similarity", "cluster_pairs", "select_output")


def report() -> str:
    """The line of JSON."""
    error = ""
    try:
        for job in JOBS:
            __import__(f"pehchan.mrjobs.{job}")
    except Exception as found:
        error = f"{type(found).__name__}: {found}".strip().splitlines()[0]
    return json.dumps(
        {
            "node": platform.node(),
            "python": platform.python_version(),
            "executable": sys.executable,
            "machine": platform.machine(),
            "glibc": platform.libc_ver()[1],
            "error": error,
        }
    )


if __name__ == "__main__":
    sys.stdin.buffer.read()
    print(report())

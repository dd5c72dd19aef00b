"""What is asked of EMR beside mrjob: to cancel the steps of a job that is cut short."""

import sys
from typing import Any


def end_steps(running: Any) -> None:
    """Cancel what is left of a job's steps on EMR, and say what may still cost.

    `running` is mrjob's runner of the job. Its own clean-up ends a cluster that was started for this job alone;
    one of a pool goes on, with the steps that it was given.
    """
    cluster = running.get_cluster_id()
    if cluster is None:
        return
    steps: list[str] = []
    try:
        client = running.make_emr_client()
        # By their names, and not as the runner noted them: the interrupt may have come before it could.
        pages = client.get_paginator("list_steps").paginate(
            ClusterId=cluster, StepStates=["PENDING", "RUNNING"]
        )
        steps = [
            step["Id"]
            for page in pages
            for step in page["Steps"]
            if step["Name"].startswith(running.get_job_key())
        ]
        if steps:
            client.cancel_steps(ClusterId=cluster, StepIds=steps)
    # Whatever keeps us from asking AWS, the person must know what goes on there.
    except Exception as error:
        named = f" --step-ids {' '.join(steps)}" if steps else " --step-ids s-..."
        print(
            f"The steps of {running.get_job_key()} may still run on EMR, and cost: {error}\n"
            f"  aws emr list-steps --cluster-id {cluster} --step-states PENDING RUNNING\n"
            f"  aws emr cancel-steps --cluster-id {cluster}{named}",
            file=sys.stderr,
        )
        return
    if steps:
        said = f"EMR was asked to cancel {', '.join(steps)}; it may take a minute."
    else:
        said = "No step of the job was left on EMR."
    if running._opts["pool_clusters"] or running._opts["cluster_id"]:
        # A step that is cancelled is a client of YARN; what runs there goes on for all EMR promises.
        said += (
            f"\n  Cluster {cluster} stays up, and costs, as long as its settings say. To end it, and all that "
            f"runs on it:\n  aws emr terminate-clusters --cluster-ids {cluster}"
        )
    print(said, file=sys.stderr)

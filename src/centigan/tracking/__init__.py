"""Mirrors a finished experiment to MLflow; the only room that imports mlflow.

`record` reads the experiment's files, `mirror` writes them to a tracking store. Files are the
truth: a store that is lost is filled again by publishing again.
"""

import os

# A slow or absent server costs seconds, not MLflow's own 4 to 20 minutes a call, and nothing calls
# home. MLflow looks at the last one while it is imported, so these lines stand above the import.
for _name, _value in {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # seconds
    "MLFLOW_DISABLE_TELEMETRY": "true",
}.items():
    os.environ.setdefault(_name, _value)

from centigan.tracking.mirror import publish  # noqa: E402

__all__ = ["publish"]

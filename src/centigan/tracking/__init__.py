"""Mirrors an experiment to MLflow, while it trains and afterwards; the only room that imports mlflow.

`journals` and `record` read the experiment's files, `exporter` brings the store up to them, `follow` does
so again and again. Files are the truth: a store that is lost is filled again by tracking again.
"""

import logging
import os

# A slow or absent server costs seconds, not MLflow's own 4 to 20 minutes a call, and nothing calls
# home. MLflow looks at the last ones while it is imported, so these lines stand above the import.
for _name, _value in {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # seconds
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}.items():
    os.environ.setdefault(_name, _value)
# each retry of a request, each error of the database with its traceback: we tell of them, once
logging.getLogger("urllib3").setLevel(logging.ERROR)
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)

from centigan.tracking.follow import Followed, follow, track, track_for_workflow  # noqa: E402

__all__ = ["Followed", "follow", "track", "track_for_workflow"]

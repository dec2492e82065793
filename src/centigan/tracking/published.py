"""mlflow.json: what was published of a folder of results and where, or why it was not."""

import json
import logging
from collections.abc import Callable
from typing import Any

from centigan.atomic import write_text
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import read_published
from centigan.redaction import mark
from centigan.tracking.store import store_uri

log = logging.getLogger(__name__)


def write_published(layout: Layout, content: dict[str, Any], uri: str, attempt: int | None) -> None:
    """Write mlflow.json, which travels with the results; without an `attempt` that of the file is kept."""
    if attempt is None:
        attempt = read_published(layout.published).get("attempt", 0)
    content |= {"attempt": attempt, "store": mark(uri)}
    text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False)
    write_text(layout.published, text + "\n")


def publish_or_go_on(
    export: Callable[[], str | None], layout: Layout, *, again: str, uri: str | None, attempt: int
) -> None:
    """Export, and whatever goes wrong, write mlflow.json: it tells whether the export is complete.

    Args:
        export: writes mlflow.json once all is in the store, else returns why it is not.
        again: the command that completes it.
        attempt: Snakemake's count, which tries again while the file tells of an incomplete one.
    """
    try:
        reason = export()
    except UserError as error:
        reason = str(error)
    except Exception as error:  # a mirror's fault, whichever it is, must not cost the run that it mirrors
        log.exception("This should not have happened:")
        reason = f"{type(error).__name__}: {error}"
    if reason is not None:
        log.warning("going on without MLflow, which `%s` completes later: %s", again, reason)
        write_published(layout, {"complete": False, "reason": reason}, store_uri(uri), attempt)

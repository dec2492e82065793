"""How many CPU threads this process may use; half of the commands never load PyTorch, which takes seconds.

Libraries keep limits of their own, and PyTorch's is asked once it is loaded: a benchmark may have set it.
"""

import os
import sys


def limit_threads(threads: int) -> None:
    """Limit PyTorch, loaded or not yet, and what NumPy and SciPy compute with, to so many CPU threads."""
    from threadpoolctl import threadpool_limits

    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)
    os.environ["OMP_NUM_THREADS"] = str(threads)  # what PyTorch reads when it is loaded
    threadpool_limits(threads)


def allowed_threads() -> int:
    """CPU threads of an operation of our own."""
    if torch := sys.modules.get("torch"):
        return int(torch.get_num_threads())
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdecimal() and int(told) else len(os.sched_getaffinity(0))

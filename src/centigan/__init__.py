"""centigan: one hundred class-conditional GANs, one reproducible pipeline.

    images = centigan.load("digits/acgan", split=0).sample(["3", "4"], seed=1)

samples a trained generator (`centigan.loading`). What that needs, such as torch, is imported when it is asked
for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from centigan.generator import TrainedGenerator
    from centigan.loading import load, read_image

__all__ = ["TrainedGenerator", "__version__", "load", "read_image"]
__version__ = "0.1.0"
_LATER = {
    "TrainedGenerator": "centigan.generator",
    "load": "centigan.loading",
    "read_image": "centigan.loading",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

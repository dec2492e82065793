"""Arrays of raw data of whatever source, by the way that a run goes: through an index."""

from pathlib import Path

from small import ARRAYS

from centigan.data.arrays import build_arrays
from centigan.data.index import build_index
from centigan.layout import Layout
from centigan.settings.data import ArraySettings, DataSettings
from centigan.settings.stages import ArraysStage


def arrays_of(
    data: DataSettings, project: Path, split: str | None = None, arrays: ArraySettings | None = None
) -> Path:
    """The arrays folder of a split, by default of the only one, and at 32 px."""
    layout = Layout("x", project)
    build_index(layout, data)
    if split is None:
        (split,) = [path.stem for path in (layout.protocol / "index").iterdir()]
    build_arrays(layout, split, ArraysStage(arrays=arrays) if arrays else ARRAYS, Path(data.root))
    return layout.arrays(split)

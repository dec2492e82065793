"""What every group of settings is made of, and the kinds of values that several groups share."""

from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
NAME = rf"^{PART}(/{PART}){{0,2}}$|^{PART}/{PART}/groups/[A-Za-z0-9_-]+$"
LINE = r"^[^\x00-\x1f\x7f]+$"
COLUMN = r"^[A-Za-z_]\w*(/[\w.]+)*$"
WORDS = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"
MEANING = {  # of a pattern, for a person
    NAME: "must be of letters, digits, `_`, `-` and `.`, and begin with none of the last two; "
    "`/` stands between protocol and experiment",
    COLUMN: "must be a name of summary.json, such as fid/generated",
    LINE: "must be one line, not empty, without control characters",
    WORDS: "must be without control characters",
}

Seed = Annotated[int, Field(ge=0, lt=2**32)]  # what NumPy, scikit-learn and PyTorch all take
Count = Annotated[int, Field(gt=0, lt=2**31)]
Several = Annotated[int, Field(ge=2, lt=2**31)]
Name = Annotated[str, Field(pattern=NAME)]  # of folders within folders, and a word of a shell's command
Line = Annotated[str, Field(pattern=LINE)]  # a path, or the id of a class
Words = Annotated[str, Field(pattern=WORDS)]


class Frozen(BaseModel):
    """Immutable, and an unknown key is an error; a number is finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _truth_stands_for_itself(cls, value: Any, info: ValidationInfo) -> Any:
        """`seed: true` is a slip; pydantic would take it for 1."""
        kind = cls.model_fields[str(info.field_name)].annotation
        kinds = (kind, *get_args(kind))
        is_section = any(isinstance(each, type) and issubclass(each, BaseModel) for each in kinds)
        if isinstance(value, bool) and bool not in kinds and not is_section:  # which says so itself
            raise ValueError(f"{str(value).lower()} is no value of it; write a text in quotes")
        return value

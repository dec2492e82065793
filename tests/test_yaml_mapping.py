"""A file says what it seems to say, or one line tells why it does not."""

import time
from pathlib import Path

import pytest
import yaml
from ruamel.yaml import YAML

from centigan.errors import UserError
from centigan.yaml_mapping import LARGEST, read_mapping, read_texts

ROOT = Path(__file__).parents[1]
LAUGHS = "a0: &a0 [x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 30)
)
MERGED = "a0: &a0 {x: 1}\n" + "".join(
    f"a{level}: &a{level} {{<<: [{', '.join([f'*a{level - 1}'] * 9)}]}}\n" for level in range(1, 30)
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some.yaml"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("train: {}\ndata: {}\ntrain: {}", "line 3, column 1: `train` stands twice, first in line 1"),
        ("a: {x: 1,\n    x: 1}", "line 2, column 5: `x` stands twice, first in line 1"),
        ("splits: {7: {}, 0x7: {}}", "`0x7` stands twice"),
        ("splits: {7: {}, 7.0: {}}", r"`7\.0` stands twice"),
        ("<<: {a: 1}\n<<: {b: 1}", "`<<` stands twice"),
        (b"a: \xff", "is not UTF-8, from byte 3 on; save it as UTF-8"),
        ("a: 1".encode("utf-16"), "is not UTF-8"),
        ("a: " + "[" * 2000, "more than 50 levels deep"),
        ("a: {" * 2000, "more than 50 levels deep"),
        ("- " * 2000, "more than 50 levels deep"),
        ("? [a, b]\n: 1", "line 1, column 3: a key must be one word"),
        ("a: \x00", "unacceptable character #x0000"),
        ('a: "\\0"', "line 1, column 4: a control character"),
        ('a: "\\ud800"', "a control character"),
        (LAUGHS, f"more than {LARGEST:,} values"),
        (MERGED, f"more than {LARGEST:,} values"),
        ("a: &a [*a]", r"`\*a` stands within what it stands for"),
        ("a: !!python/object/apply:os.getcwd []", "the tag .*os.getcwd is not for settings"),
        ("a: !!bool maybe", "the tag .*bool is not for settings"),
        ("a: 2024-99-99", "month must be in 1..12"),
        ("a: " + "9" * 5000, "Exceeds the limit"),
        ("a: [1", "not valid YAML: line 1, column 6: expected ',' or ']'"),
        ("a: `b`", "not valid YAML: line 1, column 4"),
        ("a: 1\n---\nb: 2", "another document"),
        ("0", "must hold settings as `key: value` lines"),
        ("[]", "must hold settings as `key: value` lines"),
    ],
)
def test_what_is_no_clear_mapping_is_one_line_that_names_the_file(
    file: Path, content: str | bytes, message: str
) -> None:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    began = time.monotonic()
    with pytest.raises(UserError, match=message) as told:
        read_mapping(file)
    assert time.monotonic() - began < 2
    assert str(told.value).startswith(str(file))
    assert "\n" not in str(told.value)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        read_mapping(tmp_path)
    with pytest.raises(UserError, match="is missing; run from the project's folder"):
        read_mapping(tmp_path / "none.yaml")


@pytest.mark.parametrize("content", ["", "# nothing\n", "~"])
def test_an_empty_file_says_nothing(file: Path, content: str) -> None:
    file.write_text(content)
    assert read_mapping(file) == {}


def test_a_byte_order_mark_is_no_part_of_the_first_key(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfa: 1")
    assert read_mapping(file) == {"a": 1}


def test_an_alias_stands_for_its_value_and_a_merged_key_may_be_said_again(file: Path) -> None:
    file.write_text("a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, x: 3}")
    assert read_mapping(file) == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 2}, "c": {"x": 3, "y": 2}}


def test_a_word_means_what_it_means_to_dvc(file: Path) -> None:
    """DVC reads with ruamel.yaml, which knows YAML 1.2; PyYAML itself knows 1.1."""
    words = "007 0123 1e3 2e-4 0o17 0x1F 0b11 2024_01 on yes no 12:30 true False ~ null 1. .5"
    words += " -3 +7 1e -.inf y 1.5e+3"
    file.write_text(f"words: [{', '.join(words.split())}]")
    assert read_mapping(file) == YAML(typ="safe").load(file.read_text())


@pytest.mark.parametrize("path", sorted(ROOT.glob("experiments/*/*.yaml")), ids=str)
def test_the_experiments_mean_the_same_to_yaml_1_1(path: Path) -> None:
    assert read_mapping(path) == (yaml.safe_load(path.read_text()) or {})


def test_a_text_is_what_stands_in_the_file(file: Path) -> None:
    words = ["0123", "12:30", "on", "1e3", "2024-01-01", "~", "null", "1_000", "true", ".inf"]
    file.write_text("".join(f"k{n}: {word}\n" for n, word in enumerate(words)) + "empty:\nquoted: '~'\n")
    assert list(read_texts(file).values()) == [*words, "", "~"]
    file.write_text("account: 1\naccount: 2\n")
    with pytest.raises(UserError, match="line 2, column 1: `account` stands twice"):
        read_texts(file)

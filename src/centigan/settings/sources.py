"""The sources of data, and what is known of each before any of it is read. The Snakefile reads this."""

from typing import Literal, NamedTuple, get_args

Own = Literal[  # of files that the user has
    "auto",
    "archives",
    "folders",
    "class-folders",
    "kaggle",
    "hub_archives",
    "webdataset",
    "parquet",
    "cub200",
    "oxford102",
    "coco_captions",
    "celeba",
    "lsun",
    "tiny_imagenet",
    "imagenet_npz",
    "captioned_folders",
    "points",
]
PutInPlace = Literal[  # that ship, or that `centigan raw` downloads
    "cifar10",
    "cifar100",
    "stl10",
    "stl10_unlabelled",
    "mnist",
    "fashion_mnist",
    "svhn",
    "digits",
    "noise",
    "photos",
    "shapes",
    "stacked_digits",
    "captioned_shapes",
    "ring",
    "grid",
    "circles",
    "swiss_roll",
    "line",
]
Downloaded = Literal[  # sets of the user's own that `centigan raw` downloads when it is asked to
    "imagenette", "tiny_imagenet", "cub200", "oxford102", "coco_captions"
]
ByHand = Literal[  # of which `centigan raw` only says what to put where
    "archives", "kaggle", "hub_archives", "imagenet_npz", "celeba", "lsun"
]
Source = Literal[Own, PutInPlace]
What = Literal["grey", "captions", "attributes", "modes"]


class About(NamedTuple):
    """What is known of a source."""

    put_by: str = ""  # module whose `put_in_place` writes or downloads it; none: the files are the user's own
    classes: int | None = None  # of one that is put in place
    files_of: Source | None = None  # another source, whose raw files it reads
    # grey: images without colours; captions; attributes: classes are <colour>_<shape>_<size>;
    # modes: classes are blots apart from each other
    has: frozenset[What] = frozenset()


EMBEDDED, DRAWN = "data.embedded", "data.points"
SHIPPED = (EMBEDDED, DRAWN)  # what they put in place needs no network
ABOUT: dict[Source, About] = {
    "digits": About(EMBEDDED, 10, has=frozenset({"grey"})),
    "noise": About(EMBEDDED, 2, has=frozenset({"grey"})),
    "photos": About(EMBEDDED, 20),
    "shapes": About(EMBEDDED, 36, has=frozenset({"attributes"})),
    "stacked_digits": About(EMBEDDED, 1000),
    "captioned_shapes": About(EMBEDDED, 36, has=frozenset({"attributes", "captions"})),
    "cifar10": About("data.cifar_raw", 10),
    "cifar100": About("data.cifar_raw", 100),
    "stl10": About("data.stl10_raw", 10),
    "stl10_unlabelled": About("data.stl10_raw", 1, files_of="stl10"),
    "mnist": About("data.idx_raw", 10, has=frozenset({"grey"})),
    "fashion_mnist": About("data.idx_raw", 10, has=frozenset({"grey"})),
    "svhn": About("data.svhn_raw", 10),
    "cub200": About(has=frozenset({"captions"})),
    "oxford102": About(has=frozenset({"captions"})),
    "coco_captions": About(has=frozenset({"captions"})),
    "captioned_folders": About(has=frozenset({"captions"})),
    "ring": About(DRAWN, 8, has=frozenset({"modes"})),
    "grid": About(DRAWN, 25, has=frozenset({"modes"})),
    "circles": About(DRAWN, 2),
    "swiss_roll": About(DRAWN, 1),
    "line": About(DRAWN, 1),
}
PUT_IN_PLACE = get_args(PutInPlace)
DOWNLOADED = get_args(Downloaded)
BY_HAND = get_args(ByHand)
POINTS = ("points", *(name for name, one in ABOUT.items() if one.put_by == DRAWN))


def about(source: Source) -> About:
    """What is known of a source; nothing of one whose files may be anything."""
    return ABOUT.get(source, About())


def having(what: What) -> tuple[Source, ...]:
    """The sources that have it."""
    return tuple(name for name, one in ABOUT.items() if what in one.has)


def files_of(source: Source) -> Source:
    """The source whose raw files it reads: mostly itself."""
    return about(source).files_of or source

"""The encoder that captions are embedded by, and how it is learnt with one of images (Reed et al., 2016)."""

from typing import Annotated, Literal

from pydantic import Field

from centigan.settings.frozen import Count, Frozen, Line, Seed, Several

Length = Annotated[int, Field(ge=66, le=100_000)]  # of fewer characters the third pooling has nothing to pool


class TextSettings(Frozen):
    """Text encoder, the image encoder that it is learnt with, and their training."""

    encoder: Literal["bow", "char", "sentence"] = Field(
        "bow",
        description="bow: a mean of learnt vectors of words; char: CNN-RNN on characters (the paper's); "
        "sentence: a published network, downloaded once (pip install 'centigan[sentence]')",
    )
    images: Literal["small-cnn", "features"] = Field(
        "small-cnn",
        description="what images are seen by: a small convnet, learnt too, or a linear layer on the features "
        "of real images; paper: features of a GoogLeNet",
    )
    embedding: Count = Field(32, le=65_536, description="E, numbers of an embedding; paper: 1024")
    captions: Count = Field(
        10, description="of an image whose embeddings are kept, at most; paper: 10, 5 of COCO"
    )
    iterations: Count = Field(1000, description="minibatches; paper: 200 passes over the images")
    classes: Several = Field(
        32, description="classes of a minibatch, at most, an image and a caption of each; paper: 40"
    )
    lr: float = Field(
        2.0e-3,
        gt=0,
        le=1,
        description="RMSprop's step size; at 5e-3 rounding decides whether bow learns; paper: 7e-4",
    )
    decay: float = Field(
        0.75,
        gt=0,
        le=1,
        description="factor of the step size after each pass over as many images as there are; paper: 0.98",
    )
    words: Count = Field(64, le=65_536, description="numbers of a word's vector, of bow")
    char_length: Length = Field(201, description="characters that are read of a caption, of char")
    char_maps: tuple[Count, Count, Count] = Field(
        (32, 48, 32), description="maps of its three convolutions; paper: 384, 512, 256"
    )
    char_units: Count = Field(32, le=65_536, description="units of its recurrent layer; paper: 256")
    sentence_model: Line = Field(
        "sentence-transformers/all-MiniLM-L6-v2",
        description="of the Hugging Face Hub, or a folder, of sentence",
    )
    sentence_revision: Line = Field(
        "c9745ed1d9f207416be6d2e6f8de32d1f16199bf", description="commit of that model"
    )
    seed: Seed = Field(0, description="of first weights and minibatches")

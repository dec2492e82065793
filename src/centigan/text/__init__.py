"""Text encoders: captions as embeddings, learnt jointly with an encoder of images (Reed et al., 2016)."""

from centigan.text.embed import embed_captions
from centigan.text.encoder import TextEncoder
from centigan.text.fit import fit_text_encoder
from centigan.text.stored import load_image_encoder, load_text_encoder

__all__ = ["TextEncoder", "embed_captions", "fit_text_encoder", "load_image_encoder", "load_text_encoder"]

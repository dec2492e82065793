"""How near an encoder comes to the inverse of its generator, on what is drawn of the prior.

codes   mean distance of E(G(z)) to z over that to the other z
images  mean distance of G(E(G(z))) to G(z) over that to the other images

1 is an encoder that finds no more of its z than of any. Where E and G are inverse to each other both are 0
(Donahue et al. 2017, arXiv:1605.09782, theorem 2); the second is what their code prints as EGg over EGg_b. An
image may be drawn again well where its z is not found: of several z that draw it E tells another.
Images are rounded to bytes before they are encoded, as in that code and as real images are.
"""

import pandas as pd
import torch

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.reconstruction import right_over_wrong
from centigan.seeds import counter_seed
from centigan.settings.families.contract import FamilySettings
from centigan.trained import trained_family
from centigan.types import Encodes, Given, Latent, labels_of, to_network, to_uint8

DRAWS = 1000  # of the prior, about, in a split
CHUNK = 250  # images a forward pass
COLUMNS = ("codes", "images", "draws")
CPU = torch.device("cpu")


def measure(layout: Layout, split: str, model: FamilySettings, *, device: torch.device = CPU) -> None:
    """Write metrics/inverse/{split}.parquet: one row. A family of classes draws as many of each.

    Raises:
        UserError: for a family that finds no codes, or has no prior over them.
    """
    family, classes, shape = trained_family(layout, split, model, device)
    if not isinstance(family, Encodes) or not isinstance(family, Latent):
        raise UserError(f"split {split}: {model.title} finds no codes of images")
    labels = labels_of(model.groups(classes), classes, -(-DRAWS // len(classes)))
    rng = torch.Generator().manual_seed(counter_seed(0, split, "inverse"))
    latent = family.latent(len(labels), rng)
    drawn, codes, again = [], [], []
    for z, asked in zip(latent.split(CHUNK), labels.split(CHUNK), strict=True):
        wanted = Given(asked.to(device))
        levels = to_uint8(family.generate(z.to(device), wanted), f"split {split}: the generator")
        images = to_network(levels, shape.channels)
        found = family.encode(images)
        drawn.append(images.cpu())
        codes.append(found.cpu())
        again.append(family.generate(found, wanted).cpu())
    row = {
        "codes": right_over_wrong(latent, torch.cat(codes)),
        "images": right_over_wrong(torch.cat(drawn), torch.cat(again)),
        "draws": len(latent),
    }
    with atomic_path(layout.metric("inverse", split)) as temporary:
        pd.DataFrame([row])[list(COLUMNS)].to_parquet(temporary, index=False)

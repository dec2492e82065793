"""Raw images in, per-split uint8 arrays and seeded minibatches out."""

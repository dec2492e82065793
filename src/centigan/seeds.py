"""Seeds that do not depend on what was drawn before."""

import hashlib


def counter_seed(*parts: int | str) -> int:
    """A 63-bit seed from a seed, a split, a purpose, an iteration: the same on every machine."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1

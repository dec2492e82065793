"""Metrics, one file each: `measure` writes what was measured of samples, `measure_real` of real images.

The catalogue (`centigan.catalogue`) says what each reads and needs; `centigan measure` calls them by name.
"""

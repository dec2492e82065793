"""Metrics: images in, one parquet file per split out. One file per protocol."""

"""The engine: one loop for every family, with journal, snapshots, checkpoints and resume."""

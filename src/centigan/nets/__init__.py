"""Network parts that families share."""

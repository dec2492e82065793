"""From metric files to what a person reads: tables, comparison, figures, page."""

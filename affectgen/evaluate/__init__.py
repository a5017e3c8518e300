"""The tables: what the generators show, measured by the judge."""

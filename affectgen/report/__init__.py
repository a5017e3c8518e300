"""Pictures and pages about a piece."""

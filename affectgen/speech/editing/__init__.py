"""Words of a recording changed by changing its text: what differs, who says the new words, how they are set in."""

"""When each word and phone of a known text is spoken: pronunciations, acoustic model, search."""

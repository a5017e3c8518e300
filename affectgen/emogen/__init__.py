"""EmoGen: an emotion becomes musical attributes, and attributes become music; labels never touch the generator."""

"""Writing pieces word by word: the decoder, grammar and sampler that MusER and EmoGen share."""

"""SpeechT5 with tiny random weights in the published format, for the tests of its adapter."""

from __future__ import annotations

from pathlib import Path

import numpy as np

DIM = 16


def write_weights(folder: Path) -> None:
    """Model, tokenizer and vocoder as they are published, of a few numbers each: tts, vocoder and voice.npy."""
    import sentencepiece
    import torch
    import transformers

    letters = folder / "letters.txt"
    letters.write_text("the quick brown fox jumps over a lazy dog\nTHE QUICK BROWN FOX, JUMPS OVER A LAZY DOG.\n" * 20)
    model = folder / "tts"
    model.mkdir()
    sentencepiece.SentencePieceTrainer.train(
        input=str(letters), model_prefix=str(model / "spm_char"), model_type="char", vocab_size=50,
        hard_vocab_limit=False, bos_id=0, pad_id=1, eos_id=2, unk_id=3, minloglevel=2,
    )  # fmt: skip
    torch.manual_seed(0)
    config = transformers.SpeechT5Config(
        vocab_size=81, hidden_size=16, encoder_layers=1, encoder_attention_heads=2, encoder_ffn_dim=16,
        decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=16, speech_decoder_prenet_units=8,
        speech_decoder_postnet_units=8, speaker_embedding_dim=DIM, num_mel_bins=80, reduction_factor=2,
        max_speech_positions=400, max_text_positions=100,
    )  # fmt: skip
    speaker = transformers.SpeechT5ForTextToSpeech(config)
    with torch.no_grad():
        speaker.speech_decoder_postnet.prob_out.bias.fill_(-1.5)  # untrained ones stop at once
    speaker.save_pretrained(model)
    transformers.SpeechT5Tokenizer(str(model / "spm_char.model")).save_pretrained(model)
    gan = transformers.SpeechT5HifiGanConfig(
        model_in_dim=80, upsample_initial_channel=16, upsample_rates=[4, 4, 4, 4], upsample_kernel_sizes=[8, 8, 8, 8],
        resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]],
    )  # fmt: skip
    vocoder = transformers.SpeechT5HifiGan(gan)
    with torch.no_grad():
        for weights in vocoder.parameters():
            weights.mul_(20)  # untrained ones whisper
    vocoder.save_pretrained(folder / "vocoder")
    np.save(folder / "voice.npy", np.linspace(-1, 1, DIM, dtype=np.float32))

"""MusicGen (Copet et al., NeurIPS 2023) behind one interface, from audiocraft's or transformers' folders."""

"""What every model shares: transformer, quantiser, training loop, checkpoints."""

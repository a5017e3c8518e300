"""A converter of 20 lines: aroused voices have more of the high, calm ones less of it (Scherer, 1986)."""

import numpy as np

STEEP = 4.0  # dB an octave for an arousal and a strength of 1
LOW, MIDDLE, HIGH = 250.0, 1000.0, 4000.0  # Hz: where the slope begins, is 0 dB, and ends


class Tilt:
    name = "tilt 1"

    def convert(self, request):
        hertz = np.fft.rfftfreq(len(request.samples), 1 / request.rate)
        steep = STEEP * request.strength * request.target.affect.arousal  # dB an octave
        gain = 10 ** (steep * np.log2(hertz.clip(LOW, HIGH) / MIDDLE) / 20)
        return np.fft.irfft(gain * np.fft.rfft(request.samples), len(request.samples))


def load(device):
    return Tilt()

"""MusicGen sessions on the iso principle: clip by clip from where the listener is to where the listener wants to be."""

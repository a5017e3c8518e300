"""From MIDI or recordings to a finished sound file: played, joined, put in a room, levelled, encoded."""

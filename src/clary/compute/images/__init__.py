"""Images are environments: a catalogue of official URIs, and the environments built for them."""

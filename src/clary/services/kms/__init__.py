"""Keys that never leave the installation: encryption, signatures and message codes under them."""

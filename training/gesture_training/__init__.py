"""Training of gesture_node bundles: corpora, networks, losses, train, evaluate, export."""

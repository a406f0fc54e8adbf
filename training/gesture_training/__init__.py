"""Training of gesture_node bundles: corpora, networks, losses, train, evaluate, export."""
import os

# Before torch is loaded: OpenMP threads that wait must sleep soon. On a machine that is also busy
# otherwise, their spinning makes a training step ten times slower.
os.environ.setdefault('GOMP_SPINCOUNT', '10000')

"""Programs worth running: python -m demos.digits --help."""

import os

# Read when NumPy is loaded. The demos' matrices are small: where other programs run too, threads that wait
# for each other take many times what a single one takes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

"""Checkpoints of a training that uses all there is to save, and such as are made to deceive.

In the latter something is changed, and the checksum is right.
"""

import numpy as np

import nn
from nn import archives

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(2, 30)), (RNG.random((1, 30)) > 0.5).astype(float)

OPTIONS = {  # a training that uses all there is to save
    "epochs": 12,
    "batch_size": 8,
    "optimizer": nn.Adam(),
    "learning_rate": 0.05,
    "reduce_on_plateau": nn.ReduceOnPlateau(factor=0.5, patience=1),
    "early_stopping": nn.EarlyStopping(patience=20),
    "validation": 0.3,
    "metrics": ["accuracy"],
    "monitor": True,
    "progress": False,
}


def forge(path, change):
    """Write the checkpoint anew after `change(header, arrays)`."""
    header, arrays = archives.read(path)
    change(header, arrays)
    archives.write(path, header, arrays)


def put(*place):
    """A change that sets header[…][…] = value."""
    *keys, last, value = place

    def change(header, arrays):
        for key in keys:
            header = header[key]
        header[last] = value

    return change


def set_array(name, value):
    return lambda header, arrays: arrays.update({name: value})


def drop(*keys):
    def change(header, arrays):
        for key in keys[:-1]:
            header = header[key]
        del header[keys[-1]]

    return change


def swap(a, b):
    def change(header, arrays):
        arrays[a], arrays[b] = arrays[b], arrays[a]

    return change

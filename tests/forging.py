"""Checkpoints made to deceive: something in them is changed, and the checksum is right."""

from nn import archives


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

"""Print what a module offers, as JSON: python list_names.py cuda.bindings.runtime. The standard library only.

By name: the members of a class or enumeration, and the first line of a description, where Cython writes the signature.
"""

import importlib
import json
import sys


def names(module):
    """What a module offers, by name."""
    return {name: _about(getattr(module, name)) for name in dir(module)}


def _about(thing):
    members = sorted(dir(thing)) if isinstance(thing, type) else []
    lines = (getattr(thing, "__doc__", "") or "").strip().splitlines() if callable(thing) else []
    return {"members": members, "signature": lines[0] if lines else ""}


if __name__ == "__main__":
    json.dump(names(importlib.import_module(sys.argv[1])), sys.stdout)

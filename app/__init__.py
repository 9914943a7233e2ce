"""Tenet: the coding conventions of a repository, extracted with evidence, validated by people, enforced."""

import atexit
import gc

__version__ = "0.1.0"

# Every process of ours begins here, and loads hundreds of modules that stay until its end: looking through them for
# garbage is vain while they load, and costs a third of a second when the process ends and all is given back anyway.
gc.set_threshold(10_000, *gc.get_threshold()[1:])
atexit.register(gc.freeze)

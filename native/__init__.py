"""The native audio core: rings, converters and PortAudio callbacks, in Cython over plain C11."""

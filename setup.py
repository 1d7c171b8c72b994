"""Builds the native audio core; everything else about the package stands in pyproject.toml."""

from Cython.Build import cythonize
from setuptools import Extension, setup

# -O3 for vectorised loops. No -march=native and no -ffast-math: a wheel built here runs on every machine of
# its architecture, and NaN stays NaN (docs/decisions.md).
FLAGS = ["-O3", "-std=c11", "-Wall", "-Wextra", "-Wno-unused-parameter"]

setup(
    ext_modules=cythonize(
        [
            Extension(f"native.{name}", [f"native/{name}.pyx"], extra_compile_args=FLAGS, include_dirs=["native"])
            for name in ("ring", "convert", "stream")
        ],
        language_level=3,
    )
)

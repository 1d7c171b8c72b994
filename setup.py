"""Builds the native audio core; everything else about the package stands in pyproject.toml."""

from Cython.Build import cythonize
from setuptools import Extension, setup

# -O3 for vectorised loops. No -march=native: a wheel built here runs on every machine of its architecture, and the
# voice chooses among instruction sets when it runs. No -ffast-math: what becomes of NaN is promised (convert.pyx).
FLAGS = ["-O3", "-std=gnu11", "-Wall", "-Wextra", "-Wno-unused-parameter"]
HEADERS = [
    "native/spsc.h",
    "native/convert.h",
    "native/stream.h",
    "native/vits_kernel.h",
    "native/vits_kernels.h",
    "native/vits_network.h",
    "native/vits_text.h",
    "native/vits_flow.h",
    "native/vits_decoder.h",
]

setup(
    ext_modules=cythonize(
        [
            Extension(
                f"native.{name}",
                [f"native/{name}.pyx"],
                depends=HEADERS,
                include_dirs=["native"],
                extra_compile_args=FLAGS,
            )
            for name in ("ring", "convert", "stream", "vits")
        ],
        compiler_directives={"language_level": 3, "auto_pickle": False},
    ),
    package_data={"native": ["py.typed", "*.pyi"]},
    exclude_package_data={"native": ["*.c", "*.h", "*.pxd", "*.pyx"]},
)

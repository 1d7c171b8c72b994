"""The image test: python -m tests.image.emulation [build] [SCENARIO…]   (make image-test; see checks.py)"""

from __future__ import annotations

import sys

from tests.image.emulation.run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m appliance` is the `stimme` command."""

import sys

from appliance.cli import main

sys.exit(main())

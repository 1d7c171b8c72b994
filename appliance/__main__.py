"""`python -m appliance` is the `stimme` command."""

import sys

from appliance.cli.main import main

sys.exit(main())

"""Several machines as one: web nodes hold the connections, workers hear and speak, Redis Streams are in between.

Nothing here is loaded unless STIMME_REDIS is set. docs/farm.md: who owns what, when, and what survives which death.

    web node: ears.py, mouth.py      worker: hearing.py, speaking.py      both: link.py, keys.py, lua/*.lua
    shared by all web nodes: database.py (timers, lists, tokens), visits.py (sessions), bell.py
"""

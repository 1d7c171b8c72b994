"""Several machines as one: web nodes hold the connections, workers hear and speak, Redis Streams are in between.

Nothing here is loaded unless STIMME_REDIS is set. docs/farm.md: who owns what, when, and what survives which death.

    web node: node.py, ears.py, mouth.py       worker: worker.py, taking.py, hearing.py, speaking.py, stream.py
    both: link.py, keys.py, members.py, lua/*.lua (who owns what: take, beat, commit)
    shared by all web nodes: database.py (timers, lists, notes, tokens, effects), visits.py (sessions)
"""

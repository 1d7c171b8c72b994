"""Everything that outlives the process: one SQLite file, and the clocks it is measured by.

A newcomer adds one file with a Repository (repository.py) and its Table; database.py does the rest. SQL stays in here.
"""

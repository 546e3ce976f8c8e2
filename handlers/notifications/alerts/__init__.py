"""How the settings of notifications look: accounts, the places they go to, each kind there, its times.

One card, edited in place: every view is drawn from what is stored now, so that a press on an older one is
answered by how things stand.
"""

"""The seams: what the inside asks of the outside, as Protocols.

`exchanges.py` what an exchange can tell, `platforms.py` where people talk, `vault.py` what keeps
secrets, `stores.py` what is remembered (with `people`, `accounts`, `records`, `mail`), `desk.py` what
the link page asks, `context.py` what a handler is given. Edges implement, handlers use, bootstrap joins.
"""

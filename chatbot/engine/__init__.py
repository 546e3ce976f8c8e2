"""What makes time pass: engines that wake the jobs, and the machine's own clock.

An engine fulfils `chatbot.ports.context.Queue` and carries nothing but the name of a kind of work; the
rows in the database are the truth. `embedded.py` runs everything in one process, `clock.py` is real time.
"""

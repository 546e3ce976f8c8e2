"""What is due: one file for each kind of work the engine wakes, verb + object.

A job claims rows with a lease, works outside any transaction, and writes the result only if the fence
is still its own. It may be woken twice, late or never in time: the rows decide.
"""

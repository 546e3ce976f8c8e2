"""The words of the product: frozen dataclasses and pure rules, standard library only.

Nothing here reads a clock, opens a file or knows an edge. Time and randomness come in as arguments.
"""

"""What the bot is: its words, its ports, its edges and the wiring between them.

Read `domain/` for the words, `ports.py` for the seams, `bootstrap.py` for how the parts meet.
What the bot does is in `handlers/`, what it remembers in `storage/`.
"""

"""How a thing worth telling looks: facts and a translator in, a `Message` or `Post` out; nothing else.

The bottom of the handlers: commands, events and jobs use these, never the other way round.
"""

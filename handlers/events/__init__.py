"""What happened, in the past tense: a link was opened or used, a secret was pasted, a place was left.

Events of a place get `(happened, ctx: ChatContext)` and return a `Reply`; those of the link page get
their values and the plain `Context`, and open their own transactions around the exchange call.
"""

"""What people ask for: one file for each command and for the buttons of its messages.

A command is `async def name(cmd: Command, ctx: ChatContext) -> Reply` under `@command`. It works in the
one transaction `ctx.store`, makes no network call, and returns what to say. Buttons name an
`@action("<file>.<verb>")` of the same file.
"""

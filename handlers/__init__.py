"""What the bot does: one file for each thing that can happen, named after it.

`commands/` what people ask for, `events/` what happened, `jobs/` what is due, `notifications/` how a
thing worth telling looks. To add one, write a file with a decorated function and its test; nothing
central is edited.
"""

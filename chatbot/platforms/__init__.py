"""The places where people talk to the bot; one platform is one file or one package in this folder.

To add one, write `<name>.py` (a package once it outgrows 300 lines) with one public class that is a
`chatbot.ports.platforms.Platform`, and let `chatbot/bootstrap.py` make it when its settings are there:

- `start` hands every raw update to the inlet *before* it is confirmed to the platform; `parse` reads it
  later and never assumes more than the platform promises. Nobody to hold responsible: return None.
- `deliver` turns pieces into the platform's own structure, never into markup, sends once without any
  retry of a library, and raises `SendError` with the verdict on what the failure proves.
- `pace` says what the platform allows; the delivery job keeps to it.
- Nothing here holds a business word, and no error or log line holds a token.

Then give `tests/contracts/test_platforms.py` an adapter that drives the platform and reads what it shows.
"""

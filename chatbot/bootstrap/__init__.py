"""The composition root: the only place that sees every part, and the roles a process can play.

`parts.py` builds them, `post.py` joins the platforms, `roles.py` runs them, `demo.py` furnishes the
practice installation, `tasks.py` holds the one-shot commands. Nothing imports this but the command line.
"""

"""For any WSGI server: ``gunicorn wsgi:app``. Configuration comes from the environment (see docs)."""

from service.cli.server import load_or_exit

app = load_or_exit()

"""For any WSGI server: ``gunicorn wsgi:app``. Configuration comes from the environment (see docs)."""

import gc

# Nothing that is made while modules load is garbage: looking for it takes a sixth of a start.
gc.disable()
try:
    from service.cli.server import load_or_exit

    app = load_or_exit()
finally:
    gc.enable()

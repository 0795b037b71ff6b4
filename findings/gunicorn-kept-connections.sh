#!/usr/bin/env bash
# gunicorn 27.0.1 with threads: of 32 connections that are opened at once and kept, one of two workers often has nearly
# all. Each worker's main loop takes every connection that it sees, without regard to how many it has, and whoever is
# awake first sees all of them. The connections stay where they are for as long as they are kept, so that behind a
# proxy with a pool of them one process works and the others, with their cores, have nothing to do. There is no option
# for it; --worker-connections bounds the number only from far above, and --reuse-port spreads them by chance.
# Exits non-zero where the package does otherwise: where the fuller worker has at most 20 of 32 in the mean.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check gunicorn==27.0.1
cd "$folder"
cat > app.py <<'PYTHON'
import os


def app(environ, start_response):
    body = b"%d" % os.getpid()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
PYTHON
cat > ask.py <<'PYTHON'
import asyncio
import statistics
import sys
from collections import Counter


async def process_of(reader, writer):
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    return await reader.readexactly(length)


async def main(path):
    fuller = []
    for _ in range(20):
        kept = await asyncio.gather(*[asyncio.open_unix_connection(path) for _ in range(32)])
        counts = Counter([await process_of(*connection) for connection in kept])
        again = Counter([await process_of(*connection) for connection in kept])
        assert again == counts, "a kept connection changed its process"
        fuller.append(max(counts.values()))
        for _, writer in kept:
            writer.close()
        await asyncio.sleep(0.2)
    print("of 32 kept connections the fuller of two workers has", fuller)
    print(f"in the mean {statistics.mean(fuller):.0f}")
    return statistics.mean(fuller) > 20


sys.exit(not asyncio.run(main(sys.argv[1])))
PYTHON
"$folder/venv/bin/gunicorn" --bind "unix:$folder/socket" --workers 2 --threads 16 --keep-alive 30 --log-level error \
    app:app &
server=$!
for _ in $(seq 100); do [ -S socket ] && break; sleep 0.1; done
sleep 2
./venv/bin/python ask.py "$folder/socket"

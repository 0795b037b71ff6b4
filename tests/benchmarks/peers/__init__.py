"""Emblem's logo variants beside the programs that others serve resized images with.

``python -m tests.benchmarks.peers`` installs the peers by name, runs all of them on the same masters in one
run, prints what it measured, and writes it into ``docs/performance.md``.
"""

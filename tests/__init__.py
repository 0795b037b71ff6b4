"""The tests: the rooms of ``service`` one by one, then whole journeys, faults and benchmarks.

``python -m tests`` runs the checks and all of it; ``tests/parts`` starts the real servers it needs.
"""

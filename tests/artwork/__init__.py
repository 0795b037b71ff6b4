"""Tests of the artwork check, its generator of labelled artwork, and the scorer of its answers."""

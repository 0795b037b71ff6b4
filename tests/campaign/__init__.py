"""Tests of the campaign as data."""

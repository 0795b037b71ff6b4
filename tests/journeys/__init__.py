"""Whole walks, by the programs that people use: a browser, curl, Wget, aria2."""

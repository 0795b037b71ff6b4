"""The command line."""


def main() -> None:
    """Placeholder until the command groups land in the next commit."""

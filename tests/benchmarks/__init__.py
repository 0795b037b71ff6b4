"""Programs that measure and print; none of them runs as a test."""

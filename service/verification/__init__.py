"""Verification of a public log that this deployment need not host; shares no code with what writes one."""

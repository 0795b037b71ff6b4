"""The audit: reports, exports, imports, alerts, and the verification that trusts nobody."""

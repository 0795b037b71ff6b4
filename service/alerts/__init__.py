"""Alerts: the campaign's rules looked at, counted refusals, mails to staff and auditors, webhooks."""

"""What happens when something breaks: a full disk, a killed server, two at once."""

"""One suite on every storage, so that all of them keep the same promises."""

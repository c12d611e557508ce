"""Takes a memory out of its folder and back: backups of all of it, exports of records."""

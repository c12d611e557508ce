"""The key of an encrypted memory: kept, found, and used for files that are not SQLite's."""

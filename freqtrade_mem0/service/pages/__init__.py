"""The dashboard's pages, one module each, with its template beside it in `templates`."""

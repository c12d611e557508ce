"""The frame of the dashboard's pages: rendering, assets, values as people read them, refusals."""

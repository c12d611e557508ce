"""The routes, one module for each group; `app` finds every module here that has a `router`."""

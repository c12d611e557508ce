"""Facts of a memory as plain values, for the command line, a service and a dashboard."""

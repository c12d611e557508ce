"""Long work that a request asks for and does not wait for: a queue, and a process for each job."""

"""What came of tracing: read from X-Ray, and shown in the terminal, as JSON and as a page."""

"""Programs worth running: python -m demos.digits --help."""

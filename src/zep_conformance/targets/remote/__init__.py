"""The `remote` target: parts that run already, given by URL. Nothing is started, so nothing can be stopped."""

"""The JSON API, and the middleware of API and pages: keys, uploads, headers, metrics."""

"""The JSON API and what stands before it and the pages: keys, uploads, headers, figures."""

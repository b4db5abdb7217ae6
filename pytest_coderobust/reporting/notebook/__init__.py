"""Results as HTML for a notebook: a verdict, a picture and a table; no script, and no request."""

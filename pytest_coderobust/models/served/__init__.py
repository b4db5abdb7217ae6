"""Models behind a server that speaks OpenAI's protocol: completions or chat, over HTTP."""

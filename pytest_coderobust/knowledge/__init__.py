"""Cases of knowledge edits: their files, their neighbours, and what two sets share."""

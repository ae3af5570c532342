"""Time-stamps by an authority that both sides may believe (RFC 3161; ``spec/timestamps.md``).

What is stamped is the text of a checkpoint, so that one token bounds every record under it. The package that reads
tokens is an extra and is loaded when the first one is.
"""

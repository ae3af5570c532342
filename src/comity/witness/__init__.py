"""A witness: a third party that cosigns the ledgers of others, as long as they only grow (``spec/witness.md``).

It is no house and knows none: it holds a key, the keys of the logs that it follows, and the newest checkpoint of each.
"""

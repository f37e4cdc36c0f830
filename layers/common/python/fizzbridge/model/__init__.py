"""The canonical model: what shops, ERPs and ledgers say, in the trade's own words.

Imports only pydantic and the standard library, so that every function and tool can afford it.
"""

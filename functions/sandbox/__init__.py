"""What the sandboxes share: scripted misbehaviour, counts of accepted writes, serving over HTTP.

A sandbox stands in for a vendor in tests and in the local demo. None of this is ever part of a
Lambda asset, and none of it knows the product.
"""

"""Any system that posts and takes canonical records, signed as standardwebhooks.com says."""

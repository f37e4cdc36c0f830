"""QuickBooks Online: a target for receipts, invoices, payments and credits."""

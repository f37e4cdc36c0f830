"""QuickBooks Online: a ledger of receipts, invoices, payments and credits, both ways."""

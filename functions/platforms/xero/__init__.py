"""Xero, Accounting API 2.0: a ledger of invoices, payments and credit notes, both ways."""

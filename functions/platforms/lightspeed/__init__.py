"""Lightspeed Retail (X-Series): a source of sales, payments, refunds, returns and customers."""

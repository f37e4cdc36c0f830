"""Salesforce B2C Commerce: a source of orders, payments, shipments and customers."""

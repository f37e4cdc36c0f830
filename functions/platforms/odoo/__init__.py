"""Odoo: a target for orders and customers."""

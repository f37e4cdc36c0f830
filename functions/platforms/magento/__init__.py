"""Magento and Adobe Commerce: source of orders, payments, refunds, shipments and customers."""

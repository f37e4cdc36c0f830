"""BigCommerce: a source of orders, payments, refunds, shipments and customers."""

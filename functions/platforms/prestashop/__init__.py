"""PrestaShop: a source of orders, payments, refunds, shipments, returns and customers."""

"""WooCommerce: a source of orders, payments, refunds and customers."""

"""The demo: real signed orders from a shop's sandbox, followed until the ERP's sandbox has them."""

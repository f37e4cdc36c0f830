"""NetSuite over SuiteTalk SOAP, endpoint 2025.2."""

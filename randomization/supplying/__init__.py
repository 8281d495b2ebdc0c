"""The way of kits: depot, shipment, shelf, quarantine, return, destruction. Never an arm."""

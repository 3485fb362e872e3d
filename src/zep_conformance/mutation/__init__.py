"""Plants one mutation after the other and looks who notices."""

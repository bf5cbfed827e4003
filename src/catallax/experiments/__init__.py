"""Published tables and figures, one a file. `catalogue` names them."""

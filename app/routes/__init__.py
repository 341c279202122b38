"""Each module translates: request to question, answer to response. No route knows another."""

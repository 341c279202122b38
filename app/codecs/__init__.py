"""Bytes to arrays and arrays to bytes; the only place where posted values are judged."""

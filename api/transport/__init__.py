"""HTTP as plain values: requests, answers, errors, pages, keys."""

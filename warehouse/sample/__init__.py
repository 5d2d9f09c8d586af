"""The synthetic book: a lender's sixteen tables, made up, with the truths behind them."""

from warehouse.sample.book import make_book

__all__ = ["make_book"]

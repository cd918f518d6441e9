"""Teal's log: one line for each thing said, whatever texts from outside are in it."""

from __future__ import annotations

import logging
import textwrap
import traceback

from rollout.model.words import plain


class Plain(logging.Filter):
    """Escapes what could forge a line or steer a terminal, also in what a traceback quotes."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = plain(record.getMessage()), ()
        if record.exc_info:
            told = "".join(traceback.format_exception(*record.exc_info)).split("\n")
            # Lines of a traceback are lines of the log: each is marked as one.
            record.exc_text = textwrap.indent("\n".join(map(plain, told)).strip(), "  | ")
        return True


def plainly(logger: logging.Logger) -> logging.Logger:
    """The logger, from now on with nothing in its lines that steers. It is enough to say so once."""
    if not any(isinstance(one, Plain) for one in logger.filters):
        logger.addFilter(Plain())
    return logger

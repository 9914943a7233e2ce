"""structlog without rich: it takes rich where it finds it, for tracebacks in colours that we never show."""

import sys

# They would cost every process 4 MB. Whoever shows a table imports rich afterwards as usual.
if "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import structlog
    finally:
        del sys.modules["rich"]
else:
    import structlog

__all__ = ["structlog"]

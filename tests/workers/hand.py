"""A worker process as the product starts it, with short times: `python -m tests.workers.hand URL URL FOLDER`."""

import asyncio
import sys

from tests.installed import settings_for
from workers.process import work

if __name__ == "__main__":
    asyncio.run(work(settings_for(*sys.argv[1:3], data_dir=sys.argv[3], private_addresses=True)))

"""Pages that run without a browser have the server address of ``make run``."""

import pytest
from streamlit import config


@pytest.fixture(autouse=True)
def at_localhost():
    """The app listens at a loopback address."""
    before = config.get_option("server.address")
    config.set_option("server.address", "localhost")
    yield
    config.set_option("server.address", before)

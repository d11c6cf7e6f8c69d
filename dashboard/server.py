"""The dashboard's server: the pages of app.py behind the guard of their own address."""

from pathlib import Path

from starlette.middleware import Middleware
from streamlit import App

from resources.own_address import OwnAddressOnly
from resources.settings import Settings

app = App(
    Path(__file__).with_name("app.py"),
    middleware=[Middleware(OwnAddressOnly, more_hosts=Settings().allowed_hosts)],
)

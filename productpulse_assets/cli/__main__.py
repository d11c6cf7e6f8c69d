"""`python -m productpulse_assets.cli` is `productpulse`."""

from productpulse_assets.cli import main

main()

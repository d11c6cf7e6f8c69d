"""Where money is lost: detectors of leakage, each a function of the datasets, and what they find."""

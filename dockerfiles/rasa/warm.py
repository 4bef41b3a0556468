"""Imports what Rasa and its training, serving and testing import, so that its compiled Python is written once, here."""

import contextlib
import importlib
import pkgutil
import sys
import warnings

LATE = [  # imported on first use only
    "jieba.posseg",
    "tensorflow_text",
    "sklearn.linear_model",
    "sklearn.svm",
    "sklearn.model_selection",
    "sklearn.metrics",
    "sklearn_crfsuite",
    "matplotlib.backends.backend_agg",
    "matplotlib.pyplot",
    "skops.io",
    "scipy.optimize",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "redis",
    "psycopg2",
    "pymongo",
    "tensorflow.keras",
    "engineio.async_drivers.sanic",
    "dask.threaded",
    "uvloop",
    "websockets.legacy.server",
]


def main() -> None:
    import rasa
    import rasa_sdk

    names = [
        m.name for package in (rasa, rasa_sdk) for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    missing = []
    for name in [*names, *LATE]:
        if name.endswith("__main__"):
            continue
        try:
            with contextlib.redirect_stdout(sys.stderr):
                importlib.import_module(name)
        except ImportError as error:  # parts for packages that are not installed, as transformers
            missing.append(f"{name} ({error})")
    print(f"compiled what {len(sys.modules)} modules need; not importable: {', '.join(missing) or 'none'}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()

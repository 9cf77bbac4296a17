"""The libraries that a warm process imports before it forks kernels."""

#: What a kernel imports before its first cell, and what this project's notebooks come to import.
LIBRARIES = (
    "IPython", "IPython.core.completerlib", "ipykernel.ipkernel", "ipykernel.kernelapp", "ipykernel.debugger",
    "matplotlib_inline.config", "sqlite3", "numpy", "pandas", "pandas.core.methods.to_dict", "scipy.stats",
    "scipy.optimize", "matplotlib.pyplot", "matplotlib.backends.backend_svg", "matplotlib.backends.backend_pdf",
    "matplotlib.backends.backend_agg", "seaborn", "great_tables",
    # not statsmodels.api, which takes a quarter of a second more
    "statsmodels.genmod.generalized_linear_model", "statsmodels.discrete.discrete_model",
)  # fmt: skip

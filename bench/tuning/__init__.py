"""Automatic model tuning on real trainings: Clary's search beside random search and plain Optuna, and Hyperband.

    ./dev bench tuning [--seeds 10] [--trials 40] [--only xgboost-wine] [--plot docs/images/tuning.svg]

The trainings are those of XGBoost and of Clary's Linear Learner, on data that come with scikit-learn. Each is run once
and kept, by its hyperparameters, in Clary's cache: a second run only searches.
"""

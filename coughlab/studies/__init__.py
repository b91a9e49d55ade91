"""A study is a dataset with everything trained and measured on it. This package makes, stores and describes studies."""

"""A study is a dataset with everything trained and measured on it: how it is made, kept and described."""

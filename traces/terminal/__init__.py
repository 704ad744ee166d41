"""A review in the terminal. Pure: the model in, something that rich can print out; readable without colours."""

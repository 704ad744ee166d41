"""The page of a review: template, styles and scripts, and what turns a `Review` into its data."""

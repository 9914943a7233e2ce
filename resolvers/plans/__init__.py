"""Plans: a read document compiled to one SQL statement whose columns are the JSON of its root fields."""

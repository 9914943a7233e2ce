"""From a request to an answer: what a document may ask for, and how it is executed."""

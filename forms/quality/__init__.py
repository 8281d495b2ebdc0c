"""Data quality: rules run over the whole study, by a person or as a job."""

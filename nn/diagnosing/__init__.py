"""What is wrong with a gradient: the public names, nothing else."""

from nn.diagnosing.diagnosing import diagnose
from nn.diagnosing.report import Cause, Diagnosis, Finding

__all__ = ["Cause", "Diagnosis", "Finding", "diagnose"]

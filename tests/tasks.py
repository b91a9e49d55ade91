"""The tasks that the tests use."""

from coughlab.task import Task

#: The task of the committed studies.
COVID = Task("covid", "COVID")
#: A task with other words than all committed studies.
TUBERCULOSIS = Task("tb", "tuberculosis", "healthy", prevalence=0.02)

"""The tasks that tests ask about."""

from coughlab.task import Task

#: That of the committed studies.
COVID = Task("covid", "COVID")
#: One whose words are those of no committed study.
TUBERCULOSIS = Task("tb", "tuberculosis", "healthy", prevalence=0.02)

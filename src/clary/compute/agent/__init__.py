"""The agent: stages a job's inputs, runs its process, keeps its log and uploads its outputs.

It is started as ``python -I -S …/agent JOBFOLDER``, uses the standard library only, and imports little: its start is on
the path
to the user's first line of code. So no ``dataclasses``, ``typing``, ``subprocess``, ``pathlib`` or ``http.client`` in
here.
"""

"""The model server: ``/ping``, ``/invocations`` and ``/execution-parameters`` over a Unix socket or a TCP port."""

"""The Durable Functions host on one machine.

It keeps orchestration histories, calls the SDK's own orchestrator handle with the JSON that the Durable extension
sends, and carries out the actions that the handle answers: Azure/azure-functions-durable-extension and
Azure/durabletask, read and rebuilt for azure-functions-durable 1.7.0 (the out-of-process protocol, schema V3). An
instance's code is replayed from its whole history at every *turn*; continue-as-new begins the next *generation* with
a new execution id.
"""

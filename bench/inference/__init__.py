"""``InvokeEndpoint`` beside other model servers, and beside the bare model server behind it."""

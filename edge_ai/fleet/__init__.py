"""A simulation of many robots that share servers, with the policies and the breaker that the robots run."""

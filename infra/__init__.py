"""The deployment of fizzbridge: a CDK application, and the local stack it also runs on."""

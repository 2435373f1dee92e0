"""The handover between the speed layer and the batch layer."""

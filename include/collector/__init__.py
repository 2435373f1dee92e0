"""Takes events of shops by HTTP, in the protocol that their SDKs speak already, and puts them into Kafka."""

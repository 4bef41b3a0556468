"""botyard takes a Rasa chat bot from a folder of files to a tested, released service on Kubernetes."""

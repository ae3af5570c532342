"""The API: the verbs of the house as JSON under ``/api/v1`` (``spec/api.md``).

Rules of this room:

- A verb is a flow by its name; the description (OpenAPI 3.1) is made from the types of the flows, so that it cannot say
  anything else than what is taken.
- Whoever asks is whose token it is. A body never says in whose name it is asked.
- What is refused is a problem (RFC 9457) with the code that the flow gave it.
"""

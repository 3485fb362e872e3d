"""The embedded servers: Zep, LangFlux, the model and the NLP server.

They exist so that the suite can be tried, developed and tested without a deployment. Of this project
they import facts and data alone, and they say nothing about anybody's deployment.
"""

import zep_conformance.plain_httpx  # noqa: F401

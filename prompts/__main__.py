"""`python -m prompts …`: the verbs of `ivr prompts`, for a machine that has the speech engines and nothing else."""

from prompts.verbs import app

app()

"""GPT-2 (124 million parameters) of transformers with random weights on the CPU, in f32: 64 tokens by greedy search after a prompt of
16, with cached keys and values."""
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from measure import measure

torch.manual_seed(0)
model = GPT2LMHeadModel(GPT2Config(eos_token_id=None)).eval()
prompt = torch.arange(16)[None] * 100


def generate():
    past, ids = None, prompt
    for _ in range(64):
        output = model(ids, past_key_values=past, use_cache=True)
        past, ids = output.past_key_values, output.logits[:, -1:].argmax(-1)
    model(ids, past_key_values=past, use_cache=True)


with torch.inference_mode():
    measure("GPT-2, 64 tokens after 16", generate, repeats=3)

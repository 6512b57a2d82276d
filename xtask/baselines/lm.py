"""GPT-2 (124 million parameters) of transformers with random weights on the CPU: 64 tokens by greedy search after a prompt of 16, with
cached keys and values. In f32 and bf16 by `generate`, and by a loop of our own, which has less to do between tokens."""
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from measure import measure

torch.manual_seed(0)
model = GPT2LMHeadModel(GPT2Config(bos_token_id=None, eos_token_id=None)).eval()
prompt = torch.arange(16)[None] * 100


def loop():
    past, ids = None, prompt
    for _ in range(64):
        output = model(ids, past_key_values=past, use_cache=True)
        past, ids = output.past_key_values, output.logits[:, -1:].argmax(-1)


def generate():
    model.generate(prompt, attention_mask=torch.ones_like(prompt), do_sample=False, min_new_tokens=64, max_new_tokens=64, pad_token_id=0)


with torch.inference_mode():
    for name, dtype in (("f32", torch.float32), ("bf16", torch.bfloat16)):
        model.to(dtype)
        measure(f"GPT-2, 64 tokens after 16, {name}", generate, repeats=3)
        measure(f"GPT-2, 64 tokens after 16, {name}, plain loop", loop, repeats=3)

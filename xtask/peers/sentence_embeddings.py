"""Writes a small random BERT, its tokenizer, and the sentence embeddings that transformers computes with it.

    python xtask/peers/sentence_embeddings.py fixtures/sentence_tiny

Embeddings are means of the token states, scaled to length 1, as `sentence-transformers` computes them for all-MiniLM-L6-v2.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel, BertTokenizerFast

WORDS = "a the chair chairs red sit on to something cup drink with legs four wood ##en ##s ##ing small 3d model of , . ! ? -".split()
TEXTS = ["a red chair", "something to sit on", "A wooden chair, with four legs!", "cups", "drinking", "Chaîse 3D-model?", "", "the " * 90]

torch.manual_seed(11)
out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
pieces += [p for letter in letters for p in (letter, "##" + letter) if p not in pieces]
(out / "vocab.txt").write_text("\n".join(pieces) + "\n")
tokenizer = BertTokenizerFast(vocab={piece: i for i, piece in enumerate(pieces)}, do_lower_case=True)
tokenizer.backend_tokenizer.save(str(out / "tokenizer.json"))
(out / "vocab.txt").unlink()
config = BertConfig(vocab_size=len(pieces), hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128, max_position_embeddings=80)
model = BertModel(config).eval()
with torch.no_grad():
    # Initial weights are so small that every layer would be nearly the identity.
    for parameter in model.parameters():
        parameter.add_(torch.randn_like(parameter) * 0.1)
save_file({k: v.half().contiguous() for k, v in model.state_dict().items() if "position_ids" not in k}, out / "model.safetensors")
# The network as its file has it: in half precision.
half = BertModel(config).eval()
half.load_state_dict({k: v.half().float() for k, v in model.state_dict().items()})
with torch.inference_mode():
    rows = []
    for text in TEXTS:
        tokens = tokenizer(text, truncation=True, max_length=64, return_tensors="pt")
        rows.append(torch.nn.functional.normalize(half(**tokens).last_hidden_state[0].mean(0), dim=-1))
save_file({"embeddings": torch.stack(rows)}, out / "expected.safetensors")
(out / "texts.json").write_text(json.dumps(TEXTS, ensure_ascii=False) + "\n")

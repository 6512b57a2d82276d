"""Writes a checkpoint of Llama with random weights as transformers stores it: sharded safetensors in bf16, an index, config.json and a
small tokenizer.json. By default of the sizes of Llama 2 7B, 13.5 GB: to measure loading and decoding of large models.

    python xtask/peers/random_llama.py FOLDER [--layers 32] [--width 4096]
"""
import argparse, json, os
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--layers", type=int, default=32)
parser.add_argument("--width", type=int, default=4096)
parser.add_argument("--mlp", type=int, default=11008)
parser.add_argument("--heads", type=int, default=32)
parser.add_argument("--vocabulary", type=int, default=32000)
arguments = parser.parse_args()
folder, width, mlp = arguments.folder, arguments.width, arguments.mlp
os.makedirs(folder, exist_ok=True)
torch.manual_seed(0)
index, total = {}, 0


# Matrices are parts of one list of random numbers: drawing billions of them takes longer than measuring.
size = width * max(mlp, arguments.vocabulary)
pool = torch.empty(size + (1 << 24)).normal_(std=0.02).bfloat16()


def matrix(rows, columns):
    first = int(torch.randint(1 << 24, (1,)))
    return pool[first : first + rows * columns].view(rows, columns).clone()


def shard(number, tensors):
    global total
    name = f"model-{number:05d}-of-{arguments.layers + 1:05d}.safetensors"
    save_file(tensors, f"{folder}/{name}", metadata={"format": "pt"})
    index.update({tensor: name for tensor in tensors})
    total += sum(tensor.numel() for tensor in tensors.values())


for layer in range(arguments.layers):
    prefix = f"model.layers.{layer}"
    tensors = {f"{prefix}.self_attn.{part}_proj.weight": matrix(width, width) for part in "qkvo"}
    tensors |= {f"{prefix}.mlp.{part}_proj.weight": matrix(mlp, width) for part in ("gate", "up")}
    tensors[f"{prefix}.mlp.down_proj.weight"] = matrix(width, mlp)
    for norm in ("input", "post_attention"):
        tensors[f"{prefix}.{norm}_layernorm.weight"] = torch.ones(width, dtype=torch.bfloat16)
    shard(layer + 1, tensors)
ends = {name: matrix(arguments.vocabulary, width) for name in ("model.embed_tokens.weight", "lm_head.weight")}
shard(arguments.layers + 1, ends | {"model.norm.weight": torch.ones(width, dtype=torch.bfloat16)})
with open(f"{folder}/model.safetensors.index.json", "w") as file:
    json.dump({"metadata": {"total_size": 2 * total}, "weight_map": index}, file)
config = dict(
    model_type="llama", vocab_size=arguments.vocabulary, hidden_size=width, num_hidden_layers=arguments.layers,
    num_attention_heads=arguments.heads, num_key_value_heads=arguments.heads, intermediate_size=mlp, max_position_embeddings=4096,
    rms_norm_eps=1e-5, rope_theta=10000.0, hidden_act="silu", tie_word_embeddings=False, bos_token_id=1, eos_token_id=2,
)
with open(f"{folder}/config.json", "w") as file:
    json.dump(config, file)
alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
tokenizer = Tokenizer(models.BPE(vocab={character: id for id, character in enumerate(alphabet)}, merges=[]))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
tokenizer.save(f"{folder}/tokenizer.json", pretty=False)
print(f"{total / 1e9:.2f} billion parameters in {folder}")

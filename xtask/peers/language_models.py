"""Language models with random weights, and what transformers computes with them. No weights are downloaded.

usage: language_models.py FOLDER     writes fixtures/language_models

A folder for each layout: GPT-2, OPT, Llama (grouped-query attention, an untied head, stretched rotary positions), Qwen2 (biases, a
tied head, several files with an index), Qwen3 (normalized queries and keys) and Phi (parallel branches, partly rotary heads), each
with config.json and the tokenizer.json of a byte-level BPE trained on a few sentences. Expected: logits of a text, new tokens by
greedy and beam search, candidates of sampling with top-k and top-p, and what the tokenizer makes of some texts. `clipcap` is ClipCap's
checkpoint (rmokady/CLIP_prefix_caption) in a few lines of PyTorch, with its captions of random embeddings."""
import json, os, shutil, sys
import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, OPTConfig, OPTForCausalLM, PhiConfig, PhiForCausalLM
from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

SENTENCES = [
    "a photo of a red wooden chair with a round seat and four tall legs.",
    "a white table that has two drawers, isn't it? it's 35 cm high",
    "the 3d model of a small lamp, rendered on a white background\n",
    "two blue cups and they're standing on the table; a man's hat!",
]
TEXTS = [
    "a photo of", "Question: what is it?\n\nAnswer:", "  two   spaces\tand\r\n\n lines \n", "IT'S they'll 'round", "Café ÿ 椅子 ½ Ⅷ ²3x 12345", "a\u0301b ⓐ \u00a0 x",
    "", " a", "(table)_chair\n", "🪑 naïve—dash… !!\n?",
]
PROMPT = "a photo of the red"
LENGTH = 32
GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SIZES = dict(hidden_size=48, num_hidden_layers=3, num_attention_heads=6, max_position_embeddings=64)
TOKENS = dict(bos_token_id=0, eos_token_id=1, pad_token_id=1)


def tokenizer(kind):
    found = Tokenizer(models.BPE())
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if kind in ("qwen2", "qwen3", "llama"):
        pattern = GPT4.replace(r"|\p{N}|", r"|\p{N}{1,3}|") if kind == "llama" else GPT4
        split = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
        found.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    if kind in ("qwen2", "qwen3"):
        found.normalizer = normalizers.NFC()
    found.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<s>", "</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    found.train_from_iterator(SENTENCES * 3, trainer)
    if kind in ("opt", "llama"):
        template = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
        found.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    return found


def network(kind, vocabulary):
    sizes = dict(SIZES, vocab_size=vocabulary, **TOKENS)
    if kind == "gpt2":
        return GPT2LMHeadModel(GPT2Config(vocab_size=vocabulary, n_embd=48, n_layer=3, n_head=6, n_positions=64, **TOKENS))
    if kind == "opt":
        return OPTForCausalLM(OPTConfig(ffn_dim=80, word_embed_proj_dim=48, **sizes))
    if kind == "llama":
        rotary = dict(rope_type="llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16, rope_theta=1000.0)
        return LlamaForCausalLM(LlamaConfig(intermediate_size=80, num_key_value_heads=2, rope_parameters=rotary, **sizes))
    if kind == "qwen2":
        return Qwen2ForCausalLM(Qwen2Config(intermediate_size=80, num_key_value_heads=3, tie_word_embeddings=True, **sizes))
    if kind == "qwen3":
        return Qwen3ForCausalLM(Qwen3Config(intermediate_size=80, num_key_value_heads=2, head_dim=12, **sizes))
    return PhiForCausalLM(PhiConfig(intermediate_size=80, partial_rotary_factor=0.5, **sizes))


def randomize(model, tied):
    """Weights large enough that logits differ from token to token, and texts do not repeat one."""
    for name, parameter in model.named_parameters():
        if name.endswith(("norm.weight", "layernorm.weight", "layer_norm.weight", "ln_1.weight", "ln_2.weight", "ln_f.weight")):
            parameter.data.normal_(mean=1.0, std=0.2)
        elif name.endswith(("wpe.weight", "embed_positions.weight")):
            parameter.data.normal_(std=1.5)
        elif name.endswith(("wte.weight", "embed_tokens.weight")):
            # A tied table that is large next to the blocks' outputs would repeat the last token.
            parameter.data.normal_(std=0.2 if tied else 1.0)
        elif parameter.dim() < 2:
            parameter.data.normal_(std=0.1)
        else:
            parameter.data.normal_(std=1.5 * max(parameter.shape) ** -0.5)


def generated(model, ids, end, **way):
    """New tokens, up to the end."""
    rows = model.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), do_sample=False, max_new_tokens=LENGTH, **way)
    row = rows[0, len(ids) :].tolist()
    return row[: row.index(end)] if end in row else row


def candidates(logits):
    """Ids that transformers keeps for sampling, and their probabilities."""
    for step in (TemperatureLogitsWarper(1.5), TopKLogitsWarper(40), TopPLogitsWarper(0.8)):
        logits = step(None, logits)
    return [[int(id), float(logits.softmax(-1)[0, id])] for id in torch.nonzero(logits[0] > -float("inf")).flatten()]


def write(kind, folder):
    torch.manual_seed(5)
    words = tokenizer(kind)
    model = network(kind, words.get_vocab_size()).eval()
    randomize(model, kind in ("gpt2", "opt", "qwen2"))
    os.makedirs(folder)
    model.half().save_pretrained(folder, max_shard_size="60KB" if kind == "qwen2" else "5GB")
    # Loaded again: half precision has rounded the frequencies of rotary positions too, which are no weights.
    model = type(model).from_pretrained(folder, dtype=torch.float32).eval()
    if os.path.exists(f"{folder}/generation_config.json"):
        os.remove(f"{folder}/generation_config.json")
    words.save(f"{folder}/tokenizer.json", pretty=False)
    ids = words.encode(PROMPT).ids
    logits = model(torch.tensor([ids])).logits[0]
    save_file({"logits": logits.contiguous()}, f"{folder}/expected.safetensors")
    plain = lambda text: words.encode(text, add_special_tokens=False).ids
    results = dict(
        prompt=PROMPT, ids=ids, greedy=generated(model, ids, 1), beams=generated(model, ids, 1, num_beams=4), candidates=candidates(logits[-1:]),
        encoded=[[text, plain(text)] for text in TEXTS], decoded=[[plain(text), words.decode(plain(text))] for text in TEXTS],
    )
    results["text"] = words.decode(results["greedy"])
    with open(f"{folder}/expected.json", "w") as file:
        json.dump(results, file, ensure_ascii=False)
    print(kind, len(set(results["greedy"])), len(results["greedy"]), len(results["beams"]), len(results["candidates"]), repr(results["text"]))


class ClipCap(torch.nn.Module):
    """An embedding becomes `prefix` tokens of GPT-2 by two linear layers with a tanh in between."""

    def __init__(self, dim, prefix, gpt):
        super().__init__()
        width = gpt.config.n_embd
        self.prefix = prefix
        self.gpt = gpt
        self.clip_project = torch.nn.Module()
        self.clip_project.model = torch.nn.Sequential(torch.nn.Linear(dim, width * prefix // 2), torch.nn.Tanh(), torch.nn.Linear(width * prefix // 2, width * prefix))

    def forward(self, embedding, ids):
        tokens = self.clip_project.model(embedding).view(1, self.prefix, -1)
        return self.gpt(inputs_embeds=torch.cat((tokens, self.gpt.transformer.wte(torch.tensor([ids], dtype=torch.long))), 1)).logits[0]


def write_clipcap(folder):
    torch.manual_seed(6)
    words = tokenizer("gpt2")
    gpt = network("gpt2", words.get_vocab_size())
    model = ClipCap(20, 4, gpt).eval()
    randomize(model, True)
    os.makedirs(folder)
    for parameter in model.parameters():
        parameter.data = parameter.data.half().float()
    state = {name: value.half() for name, value in model.state_dict().items()}
    torch.save(state, f"{folder}/clipcap.pt")
    words.save(f"{folder}/tokenizer.json", pretty=False)
    gpt.config.to_json_file(f"{folder}/config.json")
    embeddings = torch.nn.functional.normalize(torch.randn(3, 20), dim=-1)
    end, captions, logits = words.encode(".").ids[0], [], []
    for embedding in embeddings:
        ids = []
        for _ in range(LENGTH):
            step = model(embedding[None], ids)[-1]
            if not ids:
                logits.append(step)
            ids.append(int(step.argmax()))
            if ids[-1] == end:
                break
        captions.append(ids)
    save_file({"embeddings": embeddings, "logits": torch.stack(logits)}, f"{folder}/expected.safetensors")
    with open(f"{folder}/expected.json", "w") as file:
        json.dump(dict(ids=captions, texts=[words.decode(ids) for ids in captions]), file, ensure_ascii=False)
    print("clipcap", [len(ids) for ids in captions])


if __name__ == "__main__":
    root = sys.argv[1]
    shutil.rmtree(root, ignore_errors=True)
    with torch.inference_mode():
        for kind in ("gpt2", "opt", "llama", "qwen2", "qwen3", "phi"):
            write(kind, f"{root}/{kind}")
        write_clipcap(f"{root}/clipcap")
